// The families of commands. Each function lists its file's rows; commands/table.cc lists the
// functions.
#pragma once

#include <vector>

#include "engine/command.h"

namespace tandem {

std::vector<CommandRow> string_rows();
std::vector<CommandRow> string_part_rows();
std::vector<CommandRow> multi_string_rows();
std::vector<CommandRow> counter_rows();

std::vector<CommandRow> key_rows();
std::vector<CommandRow> key_move_rows();
std::vector<CommandRow> expiry_rows();
std::vector<CommandRow> remaining_time_rows();
std::vector<CommandRow> database_rows();
std::vector<CommandRow> scan_rows();
std::vector<CommandRow> dump_rows();
std::vector<CommandRow> object_rows();
std::vector<CommandRow> start_up_rows();

std::vector<CommandRow> list_rows();
std::vector<CommandRow> list_element_rows();
std::vector<CommandRow> list_move_rows();

std::vector<CommandRow> set_rows();
std::vector<CommandRow> set_draw_rows();
std::vector<CommandRow> set_algebra_rows();

std::vector<CommandRow> hash_write_rows();
std::vector<CommandRow> hash_read_rows();
std::vector<CommandRow> hash_counter_rows();

std::vector<CommandRow> sorted_set_rows();
std::vector<CommandRow> sorted_set_range_rows();
std::vector<CommandRow> sorted_set_interval_rows();
std::vector<CommandRow> sorted_set_pop_rows();

std::vector<CommandRow> stream_rows();
std::vector<CommandRow> stream_read_rows();

}  // namespace tandem
