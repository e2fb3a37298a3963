-- ARGV: J ji fp spec site generation  field value ...      the fields are the tunables, overwritten by each open
-- generation: the newest one that the sink has; a job that Redis knows in an older one moves to it. RESUME lifts
-- the holds of lanes and rates.
-- -> {NEW|RESUME, ji, st, cur_w, cur_off, cur_line, spec} | {CONFLICT, fp}
local J, g = ARGV[1], tonumber(ARGV[6])
local k = jk(J)
local cfg = redis.call('HMGET', KEYS[1], 'schema', 'tick')
local bad = schema_check(cfg[1] or (cfg[2] and 'none'))
if bad then return bad end
local h = redis.call('HMGET', k, 'fp', 'ji', 'st', 'cur_w', 'cur_off', 'cur_line', 'spec', 'gen')
if h[1] and (h[1] ~= ARGV[3]) then return {'CONFLICT', h[1]} end
local kv = {}
for i = 7, #ARGV do kv[#kv + 1] = ARGV[i] end
if h[1] then
  if #kv > 0 then redis.call('HSET', k, unpack(kv)) end
  if g > num(h[8]) then generation_begin(J, g) end
  holds_lift(J, now())
  return {'RESUME', h[2], h[3], h[4], h[5], h[6], h[7]}
end
redis.call('HSET', KEYS[1], 'schema', SCHEMA)
redis.call('HSET', k, 'name', J, 'fp', ARGV[3], 'ji', ARGV[2], 'spec', ARGV[4], 'site', ARGV[5], 'st', 'OPEN', 'created', now(),
  'cur_w', 0, 'cur_off', 0, 'cur_line', 1, 'infs', 0, 'infb', 0, 'shards', 0, 'done', 0, 'ok', 0, 'bad', 0, 'inv', 0,
  'n', 0, 'ub', 0, 'parts', 0, 'pdone', 0, 'batches', 0, 'gen', g, unpack(kv))
redis.call('ZADD', P .. 'jobs', now(), J)
return {'NEW', ARGV[2], 'OPEN', '0', '0', '1', ARGV[4]}
