-- POST /api/auth/login with one account. Arguments: email, password.
dofile("benches/load/report.lua")

local text

function init(args)
  local body = string.format('{"email":"%s","password":"%s"}', args[1], args[2])
  text = wrk.format("POST", "/api/auth/login", { ["Content-Type"] = "application/json" }, body)
end

function request()
  return text
end
