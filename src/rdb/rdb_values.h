// Values as RDB carries them (rdb_format.h), both ways, without the key around them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "data/element.h"
#include "keyspace/entry.h"
#include "keyspace/value.h"
#include "rdb/rdb_format.h"
#include "rdb/rdb_items.h"

namespace tandem {

// The type under which this version carries the value.
uint8_t rdb_type_of(const ValueRef& value, int version);
void rdb_encode_value(RdbEncoder& encoder, const ValueRef& value, int version);

// The pieces of the above, for values that are encoded in steps (rdb_writer.h). What stands
// before a value: its attributes, its type, its key.
void rdb_encode_head(RdbEncoder& encoder, Bytes key, uint8_t type, const RdbAttributes& attributes);
// Those of an entry, as the options say.
RdbAttributes rdb_attributes_of(const Entry& entry, const RdbUses& uses);
// How many parts a list has: nodes, or elements before version 10.
uint64_t rdb_list_parts(const List& list, int version);
void rdb_encode_list_node(RdbEncoder& encoder, bool plain, Bytes blob, int version);

// Decodes a value of `type`, no module type, from bytes that hold all of it. Nothing on failure:
// the decoder knows the problem and where it was. The value may be a collection without elements,
// which no key may have.
std::optional<Value> rdb_decode_value(RdbDecoder& decoder, uint8_t type,
                                      const EncodingLimits& limits);
bool rdb_is_empty_collection(const Value& value);

// A library of functions, with its opcode.
void rdb_encode_library(RdbEncoder& encoder, Bytes code);

// The nine letters of a module type's name.
std::string rdb_module_name(uint64_t id);

}  // namespace tandem
