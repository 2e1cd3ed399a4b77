// The snapshot of a full sync as it goes over the wire, after +FULLRESYNC:
//
//   transfer = "$EOF:" mark{40 bytes} "\r\n" rdb mark     the length is not known: the mark says
//                                                         where it ends
//            | "$" length "\r\n" rdb
//
// A receiver that says `capa eof` may get the first form.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/dataset_load.h"
#include "io/task.h"
#include "replication/link_progress.h"
#include "replication/link_wire.h"

namespace tandem {

inline constexpr size_t kTransferMarkBytes = 40;

struct TransferHeader {
  std::optional<std::string> mark;
  uint64_t length = 0;  // where there is no mark
};

std::string transfer_header_bytes(const TransferHeader& header);
Result<TransferHeader> parse_transfer_header(Bytes line);

Task<Result<TransferHeader>> read_transfer_header(LinkWire& wire);
// Receives the rest of the transfer into `load`, whose data stay apart until somebody installs
// them. An error leaves everything that was there before as it was.
Task<Result<void>> receive_snapshot(LinkWire& wire, TransferHeader header, DatasetLoad& load,
                                    LinkProgress& progress);

}  // namespace tandem
