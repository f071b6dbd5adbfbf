-- GET of every path in a file, one after another. Arguments: token, file with a path a line.
dofile("benches/load/report.lua")

local requests = {}
local sent = 0

function init(args)
  local headers = { ["Authorization"] = "Bearer " .. args[1] }
  for path in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end
