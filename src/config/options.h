// All the Options structs of the server in one place. The composition owns one and hands each part
// its own.
#pragma once

#include "config/encoding_options.h"
#include "config/server_options.h"
#include "replication/options.h"

namespace tandem {

struct Options {
  ServerOptions server;
  ReplicationOptions replication;
  EncodingOptions encodings;

  EncodingLimits limits(uint64_t hash_seed) const {
    EncodingLimits limits = encodings.limits(hash_seed);
    limits.string_bytes_max = static_cast<uint64_t>(server.network.bulk_bytes_max.get());
    return limits;
  }
};

}  // namespace tandem
