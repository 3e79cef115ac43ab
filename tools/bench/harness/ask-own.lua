-- wrk's side of people who ask for what is theirs: every request is the next one's.
-- Arguments: the path, the file of access tokens (one a line).
dofile((debug.getinfo(1, "S").source:sub(2):gsub("[^/]*$", "")) .. "result.lua")
local requests = {}

function init(args)
  for token in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format("GET", args[1], { ["Authorization"] = "Bearer " .. token })
  end
end

take_turns(requests)
