#include "commands/table.h"

#include <iterator>
#include <utility>

namespace tandem {

std::vector<CommandRow> keyspace_rows() {
  using Family = std::vector<CommandRow> (*)();
  constexpr Family kFamilies[] = {string_rows,
                                  bitmap_rows,
                                  bitfield_rows,
                                  lcs_rows,
                                  list_rows,
                                  set_rows,
                                  hash_rows,
                                  sorted_set_rows,
                                  sorted_set_range_rows,
                                  sorted_set_pop_rows,
                                  sorted_set_algebra_rows,
                                  stream_rows,
                                  stream_read_rows,
                                  stream_group_rows,
                                  stream_info_rows,
                                  hyperloglog_rows,
                                  geo_rows,
                                  geo_search_rows,
                                  key_rows,
                                  sort_rows,
                                  dump_rows,
                                  database_rows,
                                  object_rows,
                                  start_up_rows};
  std::vector<CommandRow> all;
  for (const Family family : kFamilies) {
    std::vector<CommandRow> rows = family();
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
  }
  return all;
}

}  // namespace tandem
