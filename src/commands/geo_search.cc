// Searches in geo indexes: GEOSEARCH, and the older GEORADIUS, which name the same things in other
// places. Those that store their result replicate as they came.
#include <algorithm>
#include <optional>
#include <vector>

#include "commands/elements.h"
#include "commands/geo_arguments.h"
#include "commands/table.h"
#include "data/front_sort.h"
#include "data/geo_area.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

struct Shape {
  bool is_box = false;
  double width = 0;  // of a circle: the radius
  double height = 0;
  double unit_m = 1;
};

enum class NearestOrder : uint8_t { kNone, kNearestFirst, kFarthestFirst };

struct Search {
  const SortedSet* set = nullptr;
  std::optional<GeoPosition> center;
  std::optional<Shape> shape;
  bool from_member = false;
  bool with_position = false;
  bool with_distance = false;
  bool with_hash = false;
  uint64_t count = 0;  // 0: all
  bool any = false;    // enough are enough, be they near or not
  NearestOrder order = NearestOrder::kNone;
  std::optional<Bytes> target;
  bool stores_distances = false;
};

// What the options of a command may be, besides those that all have.
struct SearchForm {
  bool names_place = false;   // FROMMEMBER, BYRADIUS ...
  bool names_target = false;  // STORE key
  bool has_target = false;    // GEOSEARCHSTORE
};

bool read_source(Context& ctx, size_t index, Search& search) {
  if (ctx.keys.read(ctx.args[index], search.set)) return true;
  ctx.reply.error(kWrongType);
  return false;
}

bool take_center_of_member(Context& ctx, Bytes member, Search& search) {
  search.from_member = true;
  // Of an absent key the rest is read, to be refused or not.
  if (search.set == nullptr) return true;
  const std::optional<double> score = search.set->score(member);
  if (score) {
    search.center = position_of(*score);
  } else {
    ctx.reply.error("ERR could not decode requested zset member");
  }
  return score.has_value();
}

bool take_center(Context& ctx, size_t first, Search& search) {
  search.center = position_argument(ctx, first);
  return search.center.has_value();
}

bool take_circle(Context& ctx, size_t first, Search& search) {
  const std::optional<double> radius = double_argument(ctx, first, "ERR need numeric radius");
  if (!radius) return false;
  if (*radius < 0) {
    ctx.reply.error("ERR radius cannot be negative");
    return false;
  }
  const std::optional<double> unit_m = unit_argument(ctx, first + 1);
  if (unit_m) search.shape = Shape{.width = *radius, .unit_m = *unit_m};
  return unit_m.has_value();
}

bool take_box(Context& ctx, size_t first, Search& search) {
  const std::optional<double> width = double_argument(ctx, first, "ERR need numeric width");
  if (!width) return false;
  const std::optional<double> height = double_argument(ctx, first + 1, "ERR need numeric height");
  if (!height) return false;
  if (*width < 0 || *height < 0) {
    ctx.reply.error("ERR height or width cannot be negative");
    return false;
  }
  const std::optional<double> unit_m = unit_argument(ctx, first + 2);
  if (unit_m) {
    search.shape = Shape{.is_box = true, .width = *width, .height = *height, .unit_m = *unit_m};
  }
  return unit_m.has_value();
}

bool take_count(Context& ctx, OptionWords& words, Search& search) {
  const std::optional<int64_t> count = words.integer();
  if (!count) return false;
  if (*count <= 0) {
    ctx.reply.error("ERR COUNT must be > 0");
    return false;
  }
  search.count = static_cast<uint64_t>(*count);
  return true;
}

enum class Taken : uint8_t { kNo, kYes, kError };
Taken taken_if(bool good) { return good ? Taken::kYes : Taken::kError; }

Taken take_common_option(Context& ctx, OptionWords& words, Search& search) {
  if (words.take("COUNT", 1)) return taken_if(take_count(ctx, words, search));
  if (words.take("WITHDIST")) {
    search.with_distance = true;
  } else if (words.take("WITHHASH")) {
    search.with_hash = true;
  } else if (words.take("WITHCOORD")) {
    search.with_position = true;
  } else if (words.take("ANY")) {
    search.any = true;
  } else if (words.take("ASC")) {
    search.order = NearestOrder::kNearestFirst;
  } else if (words.take("DESC")) {
    search.order = NearestOrder::kFarthestFirst;
  } else {
    return Taken::kNo;
  }
  return Taken::kYes;
}

// Of several targets the last one counts.
Taken take_target(OptionWords& words, Search& search) {
  const bool distances = words.take("STOREDIST", 1);
  if (!distances && !words.take("STORE", 1)) return Taken::kNo;
  search.target = words.text();
  search.stores_distances = distances;
  return Taken::kYes;
}

// The same kind of place may come again, the other one may not.
Taken take_place(Context& ctx, OptionWords& words, Search& search) {
  const size_t next = words.position() + 1;
  bool good;
  if (!(search.center && !search.from_member) && words.take("FROMMEMBER", 1)) {
    good = take_center_of_member(ctx, words.text(), search);
  } else if (!search.from_member && words.take("FROMLONLAT", 2)) {
    good = take_center(ctx, next, search);
    words.skip(2);
  } else if (!(search.shape && search.shape->is_box) && words.take("BYRADIUS", 2)) {
    good = take_circle(ctx, next, search);
    words.skip(2);
  } else if (!(search.shape && !search.shape->is_box) && words.take("BYBOX", 3)) {
    good = take_box(ctx, next, search);
    words.skip(3);
  } else {
    return Taken::kNo;
  }
  return taken_if(good);
}

Taken take_option(Context& ctx, OptionWords& words, const SearchForm& form, Search& search) {
  Taken taken = take_common_option(ctx, words, search);
  if (taken == Taken::kNo && form.names_target) taken = take_target(words, search);
  if (taken == Taken::kNo && form.names_place) taken = take_place(ctx, words, search);
  if (taken == Taken::kNo && form.has_target && words.take("STOREDIST")) {
    search.stores_distances = true;
    return Taken::kYes;
  }
  return taken;
}

// What is wrong with the options together; empty: nothing.
std::string objection_to(const Context& ctx, const SearchForm& form, const Search& search) {
  if (search.target && (search.with_position || search.with_distance || search.with_hash)) {
    return std::string("ERR ") +
           (form.has_target ? "GEOSEARCHSTORE" : "STORE option in GEORADIUS") +
           " is not compatible with WITHDIST, WITHHASH and WITHCOORD options";
  }
  const std::string name = to_upper(ctx.command.full_name);
  if (form.names_place && !search.center && !search.from_member) {
    return "ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + name;
  }
  if (form.names_place && !search.shape) {
    return "ERR exactly one of BYRADIUS and BYBOX can be specified for " + name;
  }
  if (search.any && search.count == 0) return "ERR the ANY argument requires COUNT argument";
  return {};
}

bool parse_options(Context& ctx, size_t first, const SearchForm& form, Search& search) {
  for (OptionWords words(ctx, first); !words.done();) {
    const Taken taken = take_option(ctx, words, form, search);
    if (taken == Taken::kNo) ctx.reply.error(kSyntaxError);
    if (taken != Taken::kYes) return false;
  }
  const std::string objection = objection_to(ctx, form, search);
  if (!objection.empty()) ctx.reply.error(objection);
  return objection.empty();
}

struct Found {
  std::string member;
  double score;
  double distance;  // in the search's unit
  GeoPosition position;
};

// REQUIRES: a set, a center and a shape.
std::vector<Found> found_within(const Search& search) {
  const Shape& shape = *search.shape;
  const GeoArea area = shape.is_box
                           ? GeoArea::box(*search.center, shape.width, shape.height, shape.unit_m)
                           : GeoArea::circle(*search.center, shape.width, shape.unit_m);
  std::vector<Found> found;
  const auto is_enough = [&] { return search.any && found.size() >= search.count; };
  for (const GeoArea::Scores& scores : area.scores()) {
    const ScoreRange range{.min = scores.first, .max = scores.end, .max_exclusive = true};
    search.set->for_each(search.set->ranks_in(range), false, [&](Bytes member, double score) {
      const GeoPosition position = position_of(score);
      if (const std::optional<double> distance_m = area.distance_m(position)) {
        found.push_back({std::string(member), score, *distance_m / shape.unit_m, position});
      }
      return !is_enough();
    });
    if (is_enough()) break;
  }
  return found;
}

// Leaves those that the search asks for, in its order.
void select(const Search& search, std::vector<Found>& found) {
  const size_t count = search.count == 0 ? found.size() : std::min(search.count, found.size());
  NearestOrder order = search.order;
  if (order == NearestOrder::kNone && search.count > 0 && !search.any) {
    order = NearestOrder::kNearestFirst;
  }
  if (order != NearestOrder::kNone) {
    const int sign = order == NearestOrder::kFarthestFirst ? -1 : 1;
    sort_front(found, count, [sign](const Found& a, const Found& b) {
      return a.distance == b.distance ? 0 : a.distance > b.distance ? sign : -sign;
    });
  }
  found.erase(found.begin() + static_cast<ptrdiff_t>(count), found.end());
}

void reply_found(Context& ctx, const Search& search, const std::vector<Found>& found) {
  const int64_t more =
      (search.with_distance ? 1 : 0) + (search.with_hash ? 1 : 0) + (search.with_position ? 1 : 0);
  ctx.reply.array(static_cast<int64_t>(found.size()));
  for (const Found& one : found) {
    if (more > 0) ctx.reply.array(1 + more);
    ctx.reply.bulk(one.member);
    if (search.with_distance) reply_distance(ctx.reply, one.distance);
    if (search.with_hash) ctx.reply.integer(static_cast<int64_t>(one.score));
    if (search.with_position) reply_position(ctx.reply, one.position);
  }
}

void store_found(Context& ctx, const Search& search, const std::vector<Found>& found,
                 const KeyEvent& event) {
  SortedSet stored;
  for (const Found& one : found) {
    stored.set(one.member, search.stores_distances ? one.distance : one.score, ctx.keys.limits());
  }
  store_result(ctx, event, *search.target, std::move(stored), as_is(ctx), found.size());
}

void execute(Context& ctx, size_t first_option, const SearchForm& form, Search& search) {
  if (!parse_options(ctx, first_option, form, search)) return;
  std::vector<Found> found;
  if (search.set != nullptr) found = found_within(search);
  select(search, found);
  if (!search.target) return reply_found(ctx, search, found);
  store_found(ctx, search, found,
              form.has_target ? event::kGeoSearchStore : event::kGeoRadiusStore);
}

void search_around_position(Context& ctx, const SearchForm& form) {
  Search search;
  if (!read_source(ctx, 1, search)) return;
  if (!take_center(ctx, 2, search) || !take_circle(ctx, 4, search)) return;
  execute(ctx, 6, form, search);
}

void search_around_member(Context& ctx, const SearchForm& form) {
  Search search;
  if (!read_source(ctx, 1, search)) return;
  if (!take_center_of_member(ctx, ctx.args[2], search)) return;
  // Of an absent key nobody looks at the radius.
  if (search.set != nullptr && !take_circle(ctx, 3, search)) return;
  execute(ctx, 5, form, search);
}

void georadius(Context& ctx) { search_around_position(ctx, {.names_target = true}); }
void georadius_ro(Context& ctx) { search_around_position(ctx, {}); }
void georadiusbymember(Context& ctx) { search_around_member(ctx, {.names_target = true}); }
void georadiusbymember_ro(Context& ctx) { search_around_member(ctx, {}); }

void geosearch(Context& ctx) {
  Search search;
  if (read_source(ctx, 1, search)) execute(ctx, 2, {.names_place = true}, search);
}

void geosearchstore(Context& ctx) {
  Search search;
  search.target = ctx.args[1];
  if (!read_source(ctx, 2, search)) return;
  execute(ctx, 3, {.names_place = true, .has_target = true}, search);
}

constexpr KeySpec store_at(std::string_view word, int from) {
  return {.use = "OW update", .begin = from, .begin_keyword = word, .repeats = true};
}

constexpr std::string_view kComplexity =
    "O(N+log(M)) for N members in the cells around the area, of M";

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "georadius", .arity = -6, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "RO access"), store_at("STORE", 6), store_at("STOREDIST", 6)},
     .handler = georadius, .group = "geo", .since = "3.2.0",
     .history = "6.2.0 Takes ANY; 7.0.0 Takes units in upper case",
     .deprecated = "6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
     .complexity = kComplexity, .summary = "Finds the members around a place, or stores them",
     .syntax = "key longitude:double latitude:double radius:double unit:<M | KM | FT | MI> "
               "[WITHCOORD] [WITHDIST] [WITHHASH] count-block:[COUNT count [ANY]@6.2.0] "
               "order:[ASC | DESC] "
               "store:[STORE storekey:key=key | STOREDIST storedistkey:key=key]"},
    {.name = "georadius_ro", .arity = -6, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = georadius_ro, .group = "geo", .since = "3.2.10",
     .history = "6.2.0 Takes ANY; 7.0.0 Takes units in upper case",
     .deprecated = "6.2.0 `GEOSEARCH` with the `BYRADIUS` argument",
     .complexity = kComplexity, .summary = "Finds the members around a place",
     .syntax = "key longitude:double latitude:double radius:double unit:<M | KM | FT | MI> "
               "[WITHCOORD] [WITHDIST] [WITHHASH] count-block:[COUNT count [ANY]@6.2.0] "
               "order:[ASC | DESC]"},
    {.name = "georadiusbymember", .arity = -5, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "RO access"), store_at("STORE", 5), store_at("STOREDIST", 5)},
     .handler = georadiusbymember, .group = "geo", .since = "3.2.0",
     .history = "6.2.0 Takes ANY; 7.0.0 Takes units in upper case",
     .deprecated = "6.2.0 `GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` "
                   "arguments",
     .complexity = kComplexity, .summary = "Finds the members around one of them, or stores them",
     .syntax = "key member radius:double unit:<M | KM | FT | MI> [WITHCOORD] [WITHDIST] "
               "[WITHHASH] count-block:[COUNT count [ANY]@6.2.0] order:[ASC | DESC] "
               "store:[STORE storekey:key=key | STOREDIST storedistkey:key=key]"},
    {.name = "georadiusbymember_ro", .arity = -5, .flags = kReadOnly,
     .keys = {key_at(1, "RO access")}, .handler = georadiusbymember_ro, .group = "geo",
     .since = "3.2.10",
     .history = "6.2.0 Takes ANY; 7.0.0 Takes units in upper case",
     .deprecated = "6.2.0 `GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
     .complexity = kComplexity, .summary = "Finds the members around one of them",
     .syntax = "key member radius:double unit:<M | KM | FT | MI> [WITHCOORD] [WITHDIST] "
               "[WITHHASH] count-block:[COUNT count [ANY]@6.2.0] order:[ASC | DESC]"},
    {.name = "geosearch", .arity = -7, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = geosearch, .group = "geo", .since = "6.2.0",
     .history = "7.0.0 Takes units in upper case",
     .complexity = kComplexity, .summary = "Finds the members in a circle or a box",
     .syntax = "key from:<FROMMEMBER member | fromlonlat:<FROMLONLAT longitude:double "
               "latitude:double>> by:<circle:<<BYRADIUS radius:double> unit:<M | KM | FT | MI>> | "
               "box:<<BYBOX width:double> height:double unit:<M | KM | FT | MI>>> "
               "order:[ASC | DESC] count-block:[COUNT count [ANY]] [WITHCOORD] [WITHDIST] "
               "[WITHHASH]"},
    {.name = "geosearchstore", .arity = -8, .flags = kWrite | kDenyOom,
     .keys = {key_at(1, "OW update"), key_at(2, "RO access")}, .handler = geosearchstore,
     .group = "geo", .since = "6.2.0",
     .history = "7.0.0 Takes units in upper case",
     .complexity = kComplexity, .summary = "Stores the members in a circle or a box",
     .syntax = "destination source from:<FROMMEMBER member | fromlonlat:<FROMLONLAT "
               "longitude:double latitude:double>> by:<circle:<<BYRADIUS radius:double> "
               "unit:<M | KM | FT | MI>> | box:<<BYBOX width:double> height:double "
               "unit:<M | KM | FT | MI>>> order:[ASC | DESC] count-block:[COUNT count [ANY]] "
               "[STOREDIST]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> geo_search_rows() { return kRows; }

}  // namespace tandem
