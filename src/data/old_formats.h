// Compact forms that only old RDB files have. They are read here; nothing writes them.
#pragma once

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "data/element.h"

namespace tandem {

// Reads the compact form of Redis before 7.0, for old RDB files; nothing writes it.
//
//   ziplist  = total-bytes:u32le tail-offset:u32le count:u16le entry* 0xFF
//   entry    = prevlen encoding data
//   prevlen  = the length of the entry before: one byte up to 253, or 0xFE and u32le
//   encoding = 00xxxxxx                   text of x bytes
//            | 01xxxxxx xxxxxxxx          text of x bytes, big-endian
//            | 10000000 u32be             text of that many bytes
//            | 11000000, 11010000, 11100000, 11110000, 11111110
//                                         signed integer of 16, 32, 64, 24, 8 bits, little-endian
//            | 1111xxxx (0001..1101)      the integer x - 1

// Visits every element in order. The whole blob is checked before the first visit: on an error
// nothing was visited.
Result<void> read_ziplist(Bytes blob, FunctionRef<void(const Element&)> visit);

// Reads the hash encoding of Redis before 2.6, for old RDB files; nothing writes it.
//
//   zipmap = count:u8 pair* 0xFF          count is a hint: 254 means "walk"
//   pair   = length field length free:u8 value free-bytes
//   length = one byte up to 253, or 0xFE and u32le

// Visits every field and value. The whole blob is checked before the first visit: on an error
// nothing was visited.
Result<void> read_zipmap(Bytes blob, FunctionRef<void(Bytes field, Bytes value)> visit);

}  // namespace tandem
