-- POST /api/customers, every name and email unique. Arguments: token, tag (unique to this run of wrk).
dofile("benches/load/report.lua")

local threads = 0

function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

-- The request is made once, with a gap of fixed width wherever the number of the customer goes.
local GAP = "@@@@@@@@@@"
local head, between, tail
local created = 0

function init(args)
  local token, tag = args[1], args[2]
  local id = tag .. "-" .. thread_number .. "-" .. GAP
  local body = string.format(
    '{"name":"Customer %s","email":"%s@example.com","phone":"+81-3-1234-5678","company":"Bench Trading"}', id, id)
  local text = wrk.format("POST", "/api/customers",
    { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }, body)
  head, between, tail = text:match("^(.-)" .. GAP .. "(.-)" .. GAP .. "(.*)$")
end

function request()
  created = created + 1
  local number = string.format("%010d", created)
  return head .. number .. between .. number .. tail
end
