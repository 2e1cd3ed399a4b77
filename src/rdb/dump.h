// The payload of DUMP and RESTORE: one value without its key, as RDB writes it, then the RDB
// version and a checksum. That of FUNCTION DUMP and FUNCTION RESTORE is the same for libraries of
// functions.
#pragma once

#include <span>
#include <string>

#include "base/bytes.h"
#include "base/function_ref.h"
#include "base/result.h"
#include "keyspace/value.h"
#include "rdb/rdb_reader.h"
#include "rdb/rdb_writer.h"

namespace tandem {

// The RDB version that the footer of a payload states. REQUIRES: one that was restored.
int dump_version(Bytes payload);

// Appends to `out`. RdbWriteOptions::checksum is not looked at: the payload always has one.
void dump_value(const ValueRef& value, const RdbWriteOptions& options, std::string& out);

// kRefused: footer (no footer, a version above 11, wrong checksum). kInvalid: the value itself is
// malformed. kUnsupported: a module's value.
Result<Value> restore_value(Bytes payload, const RdbReadOptions& options);

// Each with its whole code.
void dump_libraries(std::span<const Bytes> codes, const RdbWriteOptions& options, std::string& out);

// Calls `each` with the code of one library after the other, and ends with its first error. Others:
// kRefused: footer. kInvalid: the text is Redis's.
Result<void> restore_libraries(Bytes payload, const RdbReadOptions& options,
                               FunctionRef<Result<void>(Bytes code)> each);

}  // namespace tandem
