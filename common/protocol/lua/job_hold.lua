-- ARGV: J reason why      nothing new of this job is submitted while it is held, and what was not sent gives back its place.
-- -> {OK|DUP|ENDED|NOJOB, reason}
-- reason: operator, budget, auth, input_changed. The first reason stays until it is lifted.
local k = jk(ARGV[1])
local h = redis.call('HMGET', k, 'st', 'hold', 'cancel')
if not h[1] then return {'NOJOB'} end
if h[1] == 'FINAL' or h[3] then return {'ENDED', h[1]} end   -- a cancelled job must be able to end
if h[2] then return {'DUP', h[2]} end
redis.call('HSET', k, 'hold', ARGV[2], 'why', ARGV[3])
unsent_recall(ARGV[1], now())
return {'OK', ARGV[2]}
