// DEBUG DIGEST: a fingerprint of data that does not depend on the order of keys or on encodings,
// bit for bit as Redis computes it, so that any two ends of a replication can be compared.
//
//   combine(d, bytes) = d xor SHA1(bytes)            the order of bytes does not matter
//   chain(d, bytes)   = SHA1(combine(d, bytes))      the order matters
//
//   value  = chain type as 32 bits, big-endian; then, by type
//            string      chain the text
//            list        chain each element
//            set         combine each member
//            sorted set  combine [chain member, the score as replies show it]
//            hash        combine [chain field, value]
//            stream      each entry: chain "ms.seq", field, value, ...
//            and with an expiry, at last: combine "!!expire!!"
//   key    = chain the key's name, then go on with its value
//   all    = for each database that is not empty: chain its number as 32 bits, big-endian, then
//            combine each key's digest
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "keyspace/view.h"

namespace tandem {

using Digest = std::array<uint8_t, 20>;

// Counts expired keys as long as nobody has deleted them: so two ends at the same offset are equal,
// whatever their clocks say.
Digest digest_of_all(const AllStripes& all, View& keys);
// DEBUG DIGEST-VALUE.
Digest digest_of_value(const Entry& entry);
// 40 hexadecimal digits.
std::string digest_text(const Digest& digest);

}  // namespace tandem
