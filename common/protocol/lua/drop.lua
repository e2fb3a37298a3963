-- ARGV: bid nonce      the last transition of a batch record. -> {OK|STATE|FENCED|GONE}
local h = redis.call('HMGET', bk(ARGV[1]), 'lease', 'st')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[2] then return {'FENCED'} end
if h[2] ~= 'CLEAN' then return {'STATE', h[2]} end
batch_forget(ARGV[1])
return {'OK'}
