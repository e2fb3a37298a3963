-- ARGV: J w off0 off1 line1 n invalid ok bad crc payload|''  then per shard: k lane left by tk mx mask label eo un quote|'' mi mo
-- All shards of one window and the cursor, at once (compare-and-set on the cursor; a repeat is a no-op).
-- n: requests in the window; invalid: those settled at once as not valid; ok, bad: those settled by evidence that the
-- sink holds since before Redis was lost; label: JSON of what the lane is, kept once.
-- eo: output tokens of the lines that say how many they want at most; un: lines that do not; quote: of the lane, '' unknown;
-- mi, mo: the most input and output tokens of one line (of those that say how many they want).
-- left counts the clear bits of mask; a shard with left 0 is already settled (its evidence is in the sink) and only counted.
-- -> {OK|DUP|CURSOR|FULL|NOJOB, cur_w, cur_off, cur_line, st}
local J, w = ARGV[1], tonumber(ARGV[2])
local k = jk(J)
local h = redis.call('HMGET', k, 'st', 'cur_w', 'cur_off', 'cur_line', 'infs', 'infb', 'maxs', 'maxb', 'site', 'cancel')
if not h[1] then return {'NOJOB'} end
local function answer(word) return {word, h[2], h[3], h[4], h[1]} end
if w < tonumber(h[2]) then return answer('DUP') end
if h[1] ~= 'OPEN' or w > tonumber(h[2]) or h[3] ~= ARGV[3] then return answer('CURSOR') end
local payload = ARGV[11]
if not h[10] and (num(h[5]) >= tonumber(h[7]) or (payload ~= '' and num(h[6]) >= tonumber(h[8]))) then return answer('FULL') end
local site, live, bad = h[9], 0, tonumber(ARGV[9])
for i = 12, #ARGV, 13 do
  local sh, lane, left = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
  redis.call('HSETNX', lk(lane), 'site', site)
  redis.call('HSETNX', lk(lane), 'label', ARGV[i + 7])
  redis.call('SADD', P .. 'jl:' .. J, lane)
  if ARGV[i + 10] ~= '' then redis.call('HSET', moneyk(J), 'q:' .. lane, ARGV[i + 10]) end
  if left > 0 and not h[10] then
    live = live + 1
    redis.call('HSET', sk(J, w, sh), 'st', 'READY', 'L', lane, 'a', 0, 'f', 0, 'off', ARGV[3], 'len', ARGV[4] - ARGV[3],
      'line', h[4], 'n', ARGV[6], 'by', ARGV[i + 3], 'tk', ARGV[i + 4], 'mx', ARGV[i + 5], 'm', ARGV[i + 6], 'left', left, 'crc', ARGV[10],
      'eo', ARGV[i + 8], 'un', ARGV[i + 9], 'mi', ARGV[i + 11], 'mo', ARGV[i + 12])
    work_add(J, lane, 1, work_of({left = left, tk = ARGV[i + 4], eo = ARGV[i + 8], un = ARGV[i + 9]}))
    ready_put(J, site, lane, w, sh, 0, ARGV[6], left, ARGV[i + 3], ARGV[i + 4], ARGV[i + 8], ARGV[i + 9])
  else bad = bad + left end   -- cancelled: a dead letter without evidence
end
if live > 0 and payload ~= '' then
  redis.call('HSET', pk(J, w), 'd', payload, 'left', live)
  add(k, 'infb', #payload)
end
local shards = (#ARGV - 11) / 13
add(k, 'infs', live); add(k, 'shards', shards); add(k, 'done', shards - live); add(k, 'n', tonumber(ARGV[6])); add(k, 'inv', tonumber(ARGV[7]))
add(k, 'ok', tonumber(ARGV[8])); add(k, 'bad', bad)
part_add(J, w, live)
redis.call('HSET', k, 'cur_w', w + 1, 'cur_off', ARGV[4], 'cur_line', ARGV[5])
if (w + 1) % PART_WINDOWS == 0 then part_close(J, site, math.floor(w / PART_WINDOWS)) end
return {'OK', tostring(w + 1), ARGV[4], ARGV[5], h[1]}
