-- ARGV: bid nonce      what a batch is made of. The masks stand still while the batch owns the shards:
-- a set bit was not asked for in this batch's file. -> {OK, {w k a f n left off len line crc by mx tk mask eo un xi mi mo}, ...} | {FENCED|GONE}
local h = redis.call('HMGET', bk(ARGV[1]), 'lease', 'J', 'mem')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[2] then return {'FENCED'} end
local out = {'OK'}
for w, k in string.gmatch(h[3], '(%d+):(%d+):%d+:%d+:%d+') do
  local s = redis.call('HMGET', sk(h[2], w, k), 'a', 'f', 'n', 'left', 'off', 'len', 'line', 'crc', 'by', 'mx', 'tk', 'm', 'b', 'eo', 'un', 'xi', 'mi', 'mo')
  if s[13] == ARGV[1] then
    local eo = s[14] or '0'
    out[#out + 1] = {w, k, s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], s[12], eo, s[15] or s[4],
      s[16] or s[11], s[17] or s[11], s[18] or eo}   -- one line may have all of it, for all that is known
  end
end
return out
