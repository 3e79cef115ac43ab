-- wrk's side of the hot event: every request is a purchase of one ticket by the next buyer, under a key minted by the gateway.
-- Arguments: the paths (separated by commas, taken in turn), the file of access tokens (one a line).
local requests = {}
local position = 0

function init(args)
  local paths = {}
  for path in string.gmatch(args[1], "[^,]+") do paths[#paths + 1] = path end
  for token in io.lines(args[2]) do
    local headers = { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }
    local path = paths[#requests % #paths + 1]
    requests[#requests + 1] = wrk.format("POST", path, headers, '{"quantity":1}')
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"answers":%d,"seconds":%.3f,"refused":%d,"failed":%d,"p50Ms":%.2f,"p95Ms":%.2f,"p99Ms":%.2f,"p999Ms":%.2f,"maxMs":%.2f}\n',
    summary.requests, summary.duration / 1e6, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, latency:percentile(99.9) / 1e3, latency.max / 1e3))
end
