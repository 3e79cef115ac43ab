-- Sends the requests of a file in turn, again and again. They are separated by a null byte.
-- Arguments: the file, and "statuses" to count statuses.
dofile((debug.getinfo(1, "S").source:sub(2):gsub("[^/]*$", "")) .. "result.lua")
local requests = {}
local only

function setup(thread) only = thread end

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for one in file:read("*a"):gmatch("[^%z]+") do requests[#requests + 1] = one end
  file:close()
  if args[2] == "statuses" then
    statuses = {}
    function response(status) statuses[status] = (statuses[status] or 0) + 1 end
  end
end

local position = 0
function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency) report(summary, latency, only:get("statuses")) end
