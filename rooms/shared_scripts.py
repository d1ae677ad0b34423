"""Rooms in Redis: which keys there are, and the scripts that change them, each one atomic step.

All keys have one hash tag, so that all of it is on one node of a cluster. `P` is the prefix.

| key              | what                                                                       |
|------------------|----------------------------------------------------------------------------|
| `Pschema`        | version of all of this                                                     |
| `Pepoch`         | random; another one after Redis has lost everything                        |
| `Prev`           | counts changes; each message on channel `Pchanges` begins with its own     |
| `Pseq`           | counts rooms and participants ever added: the order of coming              |
| `Prooms`         | by room id: `seq:room`                                                     |
| `Ppeople:ROOM`   | by participant id: `seq:csrc:replica:participant`                          |
| `Pcsrcs:ROOM`    | by csrc: participant id                                                    |
| `Pwhere`         | by participant id: room id                                                 |
| `Ptenants`       | by room id: whose it is                                                    |
| `Prooms-of:TEN`  | ids of a tenant's rooms                                                    |
| `Ppeople-of:TEN` | ids of the participants in them                                            |
| `Powned:REPLICA` | ids of the participants that a replica serves                              |
| `Prevoked`       | by id of a join token: when it expires, in s since the epoch               |
| `Purls`          | by replica: where the others reach it                                      |
| `Preplicas`      | by replica: when its lease ends, in ms since the epoch, by Redis's clock   |

Rooms and participants are msgpack (`rooms.models`). Nothing outlives its replica's lease for longer
than `reap` is told, so the number of keys is bounded by the rooms and people of all replicas.
"""

from typing import Final

SCHEMA: Final = 1
PREFIX: Final = f"{{ag06}}:{SCHEMA}:"
SCHEMA_KEY: Final = "{ag06}:schema"
CHANGES: Final = f"{PREFIX}changes"

ROOM_PUT, ROOM_GONE, PERSON_PUT, PERSON_GONE, REVOKED = b"R", b"r", b"P", b"p", b"X"

EXISTS, FULL, MISSING, CHANGED, BUSY = b"exists", b"full", b"missing", b"changed", b"busy"
TENANT_FULL = b"tenant"

# ARGV[1] is always the replica that asks. What a change is announced with: rev, kind, room,
# participant, origin, value, one to a line; the value is last and may hold anything.
_COMMON: Final = f"""
local P, me = '{PREFIX}', ARGV[1]
local function say(kind, room, person, value)
  local rev = redis.call('INCR', P..'rev')
  local lines = table.concat({{rev, kind, room, person, me, value}}, '\\n')
  redis.call('PUBLISH', P..'changes', lines)
  return rev
end
local function cut(person)
  return string.match(person, '^(%d+):(%d+):(%d+):(.*)$')
end
local function tenant_of(room)
  return redis.call('HGET', P..'tenants', room) or 'default'
end
local function of_tenant(what, room)
  return P..what..'-of:'..tenant_of(room)
end
-- What an older version of this program has removed may still be counted: some of it is forgotten.
local function is_full(set, most, present)
  if redis.call('SCARD', set) < tonumber(most) then return false end
  for _, id in ipairs(redis.call('SRANDMEMBER', set, 100)) do
    if redis.call('HEXISTS', P..present, id) == 0 then redis.call('SREM', set, id) end
  end
  return redis.call('SCARD', set) >= tonumber(most)
end
local function own(room, tenant)
  redis.call('HSET', P..'tenants', room, tenant)
  redis.call('SADD', of_tenant('rooms', room), room)
end
local function remove_room(room)
  redis.call('SREM', of_tenant('rooms', room), room)
  redis.call('HDEL', P..'tenants', room)
  redis.call('HDEL', P..'rooms', room)
end
local function remove(room, id)
  local now = redis.call('HGET', P..'people:'..room, id)
  if not now then return end
  local _, csrc, owner = cut(now)
  redis.call('HDEL', P..'people:'..room, id)
  redis.call('HDEL', P..'csrcs:'..room, csrc)
  redis.call('HDEL', P..'where', id)
  redis.call('SREM', P..'owned:'..owner, id)
  redis.call('SREM', of_tenant('people', room), id)
end
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
"""

ADD_ROOM: Final = (
    _COMMON
    + """
local id, value, most, tenant = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
if redis.call('HEXISTS', P..'rooms', id) == 1 then return 'exists' end
if redis.call('HLEN', P..'rooms') >= most then return 'full' end
if is_full(P..'rooms-of:'..tenant, ARGV[6], 'rooms') then return 'tenant' end
own(id, tenant)
local full = redis.call('INCR', P..'seq')..':'..value
redis.call('HSET', P..'rooms', id, full)
return say('R', id, '', full)
"""
)

# In place of what was read, empty for nothing, unless another tenant has it meanwhile.
PUT_ROOM: Final = (
    _COMMON
    + """
local id, before, value, tenant = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local now = redis.call('HGET', P..'rooms', id)
if now and tenant_of(id) ~= tenant then return 'exists' end
if (now and string.match(now, '^%d+:(.*)$') or '') ~= before then return 'changed' end
own(id, tenant)
local seq = now and string.match(now, '^(%d+):') or redis.call('INCR', P..'seq')
redis.call('HSET', P..'rooms', id, seq..':'..value)
return say('R', id, '', seq..':'..value)
"""
)

UPDATE_ROOM: Final = (
    _COMMON
    + """
local id, before, value = ARGV[2], ARGV[3], ARGV[4]
local now = redis.call('HGET', P..'rooms', id)
if not now then return 'missing' end
local seq, old = string.match(now, '^(%d+):(.*)$')
if old ~= before then return 'changed' end
redis.call('HSET', P..'rooms', id, seq..':'..value)
return say('R', id, '', seq..':'..value)
"""
)

REMOVE_ROOM: Final = (
    _COMMON
    + """
local id, only_if_empty = ARGV[2], ARGV[3]
if redis.call('HEXISTS', P..'rooms', id) == 0 then return 'missing' end
local people = redis.call('HKEYS', P..'people:'..id)
if only_if_empty == '1' and #people > 0 then return 'busy' end
for _, person in ipairs(people) do remove(id, person) end
redis.call('DEL', P..'people:'..id, P..'csrcs:'..id)
remove_room(id)
return say('r', id, '', '')
"""
)

ADD_PERSON: Final = (
    _COMMON
    + """
local room, id, csrc, owner, value, most = ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]
if redis.call('HEXISTS', P..'rooms', room) == 0 or tenant_of(room) ~= ARGV[9] then
  return 'missing'
end
if redis.call('HEXISTS', P..'where', id) == 1 then return 'exists' end
if redis.call('HEXISTS', P..'csrcs:'..room, csrc) == 1 then return 'exists' end
if redis.call('HLEN', P..'people:'..room) >= tonumber(most) then return 'full' end
if is_full(of_tenant('people', room), ARGV[8], 'where') then return 'tenant' end
local full = table.concat({redis.call('INCR', P..'seq'), csrc, owner, value}, ':')
redis.call('HSET', P..'people:'..room, id, full)
redis.call('HSET', P..'csrcs:'..room, csrc, id)
redis.call('HSET', P..'where', id, room)
redis.call('SADD', P..'owned:'..owner, id)
redis.call('SADD', of_tenant('people', room), id)
return say('P', room, id, full)
"""
)

UPDATE_PERSON: Final = (
    _COMMON
    + """
local id, before, owner, value = ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local room = redis.call('HGET', P..'where', id)
if not room then return 'missing' end
local seq, csrc, former, old = cut(redis.call('HGET', P..'people:'..room, id))
if old ~= before then return 'changed' end
local full = table.concat({seq, csrc, owner, value}, ':')
redis.call('HSET', P..'people:'..room, id, full)
if former ~= owner then
  redis.call('SREM', P..'owned:'..former, id)
  redis.call('SADD', P..'owned:'..owner, id)
end
return say('P', room, id, full)
"""
)

REMOVE_PERSON: Final = (
    _COMMON
    + """
local id, why = ARGV[2], ARGV[3]
local room = redis.call('HGET', P..'where', id)
if not room then return 'missing' end
remove(room, id)
return say('p', room, id, why)
"""
)

REVOKE: Final = (
    _COMMON
    + """
local id, ends, now, most = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local all = redis.call('HGETALL', P..'revoked')
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) <= now then redis.call('HDEL', P..'revoked', all[i]) end
end
if redis.call('HEXISTS', P..'revoked', id) == 0 and redis.call('HLEN', P..'revoked') >= most then
  return 'full'
end
local before = redis.call('HGET', P..'revoked', id)
if before and tonumber(before) > tonumber(ends) then ends = before end
redis.call('HSET', P..'revoked', id, ends)
return say('X', '', id, ends)
"""
)

LOAD: Final = (
    _COMMON
    + f"""
local schema = redis.call('GET', '{SCHEMA_KEY}')
if not schema then
  schema = '{SCHEMA}'
  redis.call('SET', '{SCHEMA_KEY}', schema)
end
redis.call('SETNX', P..'epoch', ARGV[2])
local rooms = redis.call('HKEYS', P..'rooms')
local rev = redis.call('GET', P..'rev') or '0'
local revoked = redis.call('HGETALL', P..'revoked')
return {{schema, redis.call('GET', P..'epoch'), rev, rooms, revoked}}
"""
)

LOAD_ROOM: Final = (
    _COMMON
    + """
local id = ARGV[2]
local room = redis.call('HGET', P..'rooms', id)
if not room then return 'missing' end
local rev = redis.call('GET', P..'rev')
return {rev, room, redis.call('HGETALL', P..'people:'..id)}
"""
)

BEAT: Final = (
    _COMMON
    + """
local now = now_ms()
redis.call('HSET', P..'replicas', me, now + tonumber(ARGV[2]))
redis.call('HSET', P..'urls', me, ARGV[3])
local live, all = {}, redis.call('HGETALL', P..'replicas')
for i = 1, #all, 2 do
  if tonumber(all[i + 1]) > now then
    table.insert(live, all[i])
    table.insert(live, redis.call('HGET', P..'urls', all[i]) or '')
  elseif redis.call('SCARD', P..'owned:'..all[i]) == 0 then
    redis.call('HDEL', P..'replicas', all[i])
    redis.call('HDEL', P..'urls', all[i])
  end
end
return live
"""
)

# The lease ends now; whose people are still to come back elsewhere is reaped in time.
LEAVE: Final = (
    _COMMON
    + """
redis.call('HDEL', P..'urls', me)
if redis.call('SCARD', P..'owned:'..me) == 0 then return redis.call('HDEL', P..'replicas', me) end
return redis.call('HSET', P..'replicas', me, now_ms())
"""
)

# Forgets up to ARGV[4] people of replica ARGV[2] if its lease ended ARGV[3] ms ago; says how many
# changes that took.
REAP: Final = (
    _COMMON
    + """
local dead, patience, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local ends = redis.call('HGET', P..'replicas', dead)
if ends and tonumber(ends) + patience > now_ms() then return 0 end
local count = 0
for _, id in ipairs(redis.call('SRANDMEMBER', P..'owned:'..dead, most)) do
  local room = redis.call('HGET', P..'where', id)
  count = count + 1
  if not room then
    redis.call('SREM', P..'owned:'..dead, id)
  else
    remove(room, id)
    say('p', room, id, '')
    if redis.call('HLEN', P..'people:'..room) == 0 then
      remove_room(room)
      say('r', room, '', '')
    end
  end
end
if count < most then
  redis.call('HDEL', P..'replicas', dead)
  redis.call('HDEL', P..'urls', dead)
end
return count
"""
)
