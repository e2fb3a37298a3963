-- ARGV: J  then: bid nano ...      what batches have cost by the evidence in the sink. Those that will not be settled any more
-- were, or Redis has forgotten them: the job has spent that at least. -> {OK, spent} | {NOJOB}
local k, sum = jk(ARGV[1]), 0
if redis.call('EXISTS', k) == 0 then return {'NOJOB'} end
for i = 2, #ARGV, 2 do
  local st = redis.call('HGET', bk(ARGV[i]), 'st')
  if not st or st == 'CLEAN' then sum = sum + ARGV[i + 1] end
end
sum = math.min(sum, MOST_NANO)
local spent = num(redis.call('HGET', k, 'spent'))
if sum > spent then redis.call('HSET', k, 'spent', whole(sum)); spent = sum end
return {'OK', whole(spent)}
