#include "commands/table.h"

#include <iterator>
#include <utility>

#include "commands/rows.h"

namespace tandem {

std::vector<CommandRow> keyspace_rows() {
  using Family = std::vector<CommandRow> (*)();
  constexpr Family kFamilies[] = {string_rows,
                                  string_part_rows,
                                  multi_string_rows,
                                  counter_rows,
                                  key_rows,
                                  key_move_rows,
                                  expiry_rows,
                                  remaining_time_rows,
                                  database_rows,
                                  scan_rows,
                                  dump_rows,
                                  object_rows,
                                  start_up_rows,
                                  list_rows,
                                  list_element_rows,
                                  list_move_rows,
                                  set_rows,
                                  set_draw_rows,
                                  set_algebra_rows,
                                  hash_write_rows,
                                  hash_read_rows,
                                  hash_counter_rows,
                                  sorted_set_rows,
                                  sorted_set_range_rows,
                                  sorted_set_interval_rows,
                                  sorted_set_pop_rows,
                                  stream_rows,
                                  stream_read_rows};
  std::vector<CommandRow> all;
  for (const Family family : kFamilies) {
    std::vector<CommandRow> rows = family();
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace tandem
