-- Sends purchases of one ticket by the next buyer in turn; the gateway mints the key.
-- Arguments: paths separated by commas, file of access tokens (one per line), and "statuses" to
-- count statuses.
dofile((debug.getinfo(1, "S").source:sub(2):gsub("[^/]*$", "")) .. "result.lua")
local requests = {}
local only

function setup(thread) only = thread end

function init(args)
  local paths = {}
  for path in string.gmatch(args[1], "[^,]+") do paths[#paths + 1] = path end
  for token in io.lines(args[2]) do
    local headers = {
      ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
    local path = paths[#requests % #paths + 1]
    requests[#requests + 1] = wrk.format("POST", path, headers, '{"quantity":1}')
  end
  if args[3] == "statuses" then
    statuses = {}
    function response(status) statuses[status] = (statuses[status] or 0) + 1 end
  end
end

take_turns(requests)

function done(summary, latency) report(summary, latency, only:get("statuses")) end
