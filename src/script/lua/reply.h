// Replies into Lua values and Lua values into replies, by Redis's table:
//
//   RESP2        integer: number, bulk: string, array: table, status: {ok=}, error: {err=},
//                null: false
//   RESP3 adds   null: nil, boolean: boolean, double: {double=}, map: {map={}},
//                set: {set={x=true}}, big number: {big_number=},
//                verbatim: {verbatim_string={string=, format=}}
//   back         number: integer (cut off), string: bulk, true: 1, false and nil: null, a table by
//                the fields above, else as an array up to its first nil
#pragma once

#include "base/bytes.h"
#include "resp/reply_writer.h"

struct lua_State;

namespace tandem {

// The field that marks the error of a command that the script called. Scripts see it, as in Redis.
inline constexpr const char* kFromCommand = "ignore_error_stats_update";

// Pushes one value. `reply` is one whole reply of this server's own ReplyWriter. May raise a Lua
// error.
void push_reply(lua_State* lua, Bytes reply);

// Pushes {err=text}. A text without "-" gets the code ERR; its message has no line ends around it.
void push_error(lua_State* lua, Bytes text);

// Writes the value on top of the stack, and pops it. `script_protocol` is what the script chose by
// redis.setresp: it decides about booleans, the rest follows the client's protocol. Raises no Lua
// error but for a full stack. True: the value is an error with the mark kFromCommand.
bool write_lua_value(lua_State* lua, ReplyWriter& reply, int script_protocol);

}  // namespace tandem
