// The one list of all commands that work on the keyspace.
#pragma once

#include <vector>

#include "engine/command.h"

namespace tandem {

std::vector<CommandRow> keyspace_rows();

// The families of commands. Each function lists its file's rows; commands/table.cc lists the
// functions.
std::vector<CommandRow> string_rows();
std::vector<CommandRow> list_rows();
std::vector<CommandRow> set_rows();
std::vector<CommandRow> hash_rows();
std::vector<CommandRow> sorted_set_rows();
std::vector<CommandRow> sorted_set_range_rows();
std::vector<CommandRow> sorted_set_pop_rows();
std::vector<CommandRow> sorted_set_algebra_rows();
std::vector<CommandRow> stream_rows();
std::vector<CommandRow> bitmap_rows();
std::vector<CommandRow> bitfield_rows();
std::vector<CommandRow> lcs_rows();
std::vector<CommandRow> hyperloglog_rows();
std::vector<CommandRow> geo_rows();
std::vector<CommandRow> geo_search_rows();
std::vector<CommandRow> stream_read_rows();
std::vector<CommandRow> stream_group_rows();
std::vector<CommandRow> stream_info_rows();

std::vector<CommandRow> key_rows();
std::vector<CommandRow> sort_rows();
std::vector<CommandRow> dump_rows();
std::vector<CommandRow> database_rows();
std::vector<CommandRow> object_rows();
std::vector<CommandRow> start_up_rows();

}  // namespace tandem
