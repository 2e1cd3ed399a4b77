// Reads the hash encoding of Redis before 2.6, for old RDB files; nothing writes it.
//
//   zipmap = count:u8 pair* 0xFF          count is a hint: 254 means "walk"
//   pair   = length field length free:u8 value free-bytes
//   length = one byte up to 253, or 0xFE and u32le
#pragma once

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"

namespace tandem {

// Visits every field and value. The whole blob is checked before the first visit: on an error
// nothing was visited.
Result<void> read_zipmap(Bytes blob, FunctionRef<void(Bytes field, Bytes value)> visit);

}  // namespace tandem
