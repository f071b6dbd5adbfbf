-- POST /api/auth/login with one account after another. Arguments: password, then the e-mail addresses.
dofile("benches/load/report.lua")

local texts = {}
local place = 0

function init(args)
  for n = 2, #args do
    local body = string.format('{"email":"%s","password":"%s"}', args[n], args[1])
    texts[n - 1] = wrk.format("POST", "/api/auth/login", { ["Content-Type"] = "application/json" }, body)
  end
end

function request()
  place = place % #texts + 1
  return texts[place]
end
