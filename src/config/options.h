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
};

}  // namespace tandem
