// Geo indexes: sorted sets whose scores are geohashes (data/geohash.h). GEOADD replicates as the
// ZADD that it is. The searches are in commands/geo_search.cc.
#include <algorithm>
#include <optional>
#include <vector>

#include "base/number.h"
#include "commands/arguments.h"
#include "commands/geo_arguments.h"
#include "commands/table.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

struct AddOptions {
  bool only_new = false;
  bool only_present = false;
  bool count_changed = false;
};

// Longitude, latitude, member, longitude, latitude, member, ... begin at `first`.
bool parse_add(Context& ctx, AddOptions& options, size_t& first) {
  OptionWords words(ctx, 2);
  while (!words.done()) {
    if (words.take("NX")) {
      options.only_new = true;
    } else if (words.take("XX")) {
      options.only_present = true;
    } else if (words.take("CH")) {
      options.count_changed = true;
    } else {
      break;
    }
  }
  first = words.position();
  const size_t words_left = ctx.args.size() - first;
  const bool fits = words_left > 0 && words_left % 3 == 0;
  if (fits && !(options.only_new && options.only_present)) return true;
  ctx.reply.error(kSyntaxError);
  return false;
}

struct Placed {
  uint64_t geohash;
  Bytes member;
};

std::optional<std::vector<Placed>> parse_places(Context& ctx, size_t first) {
  std::vector<Placed> places;
  for (size_t i = first; i < ctx.args.size(); i += 3) {
    const std::optional<GeoPosition> position = position_argument(ctx, i);
    if (!position) return std::nullopt;
    places.push_back({geohash_of(*position), ctx.args[i + 2]});
  }
  return places;
}

void replicate_as_zadd(Context& ctx, size_t first, const std::vector<Placed>& places) {
  if (!ctx.replicates()) return;
  std::vector<std::string> scores;
  for (const Placed& place : places) {
    scores.push_back(int64_text(static_cast<int64_t>(place.geohash)));
  }
  std::vector<Bytes> effect(ctx.args.begin(), ctx.args.begin() + static_cast<ptrdiff_t>(first));
  effect.front() = "ZADD";
  for (size_t i = 0; i < places.size(); ++i) {
    effect.insert(effect.end(), {scores[i], places[i].member});
  }
  ctx.replicate(effect);
}

size_t longest_member(const std::vector<Placed>& places) {
  return std::ranges::max(places, {}, [](const Placed& place) { return place.member.size(); })
      .member.size();
}

void geoadd(Context& ctx) {
  AddOptions options;
  size_t first = 0;
  if (!parse_add(ctx, options, first)) return;
  const auto places = parse_places(ctx, first);
  if (!places) return;
  Edit<SortedSet> set(ctx.keys, ctx.args[1]);
  if (set.is_other_type()) return ctx.reply.error(kWrongType);
  if (!set && options.only_present) return ctx.reply.integer(0);
  const EncodingLimits& limits = ctx.keys.limits();
  SortedSet& members =
      set ? set.change() : set.create(SortedSet(places->size(), longest_member(*places), limits));
  uint64_t added = 0;
  uint64_t moved = 0;
  for (const Placed& place : *places) {
    if (members.score(place.member) ? options.only_new : options.only_present) continue;
    const auto change = members.set(place.member, static_cast<double>(place.geohash), limits);
    added += change == SortedSet::Change::kAdded ? 1 : 0;
    moved += change == SortedSet::Change::kMoved ? 1 : 0;
  }
  ctx.reply.integer(static_cast<int64_t>(added + (options.count_changed ? moved : 0)));
  if (added + moved == 0) return set.unchanged();
  replicate_as_zadd(ctx, first, *places);
  set.done(event::kZAdd, added + moved, Effect::none());
}

std::optional<GeoPosition> position_of_member(const SortedSet* set, Bytes member) {
  const std::optional<double> score = set != nullptr ? set->score(member) : std::nullopt;
  if (!score) return std::nullopt;
  return position_of(*score);
}

void geodist(Context& ctx) {
  if (ctx.args.size() > 5) return ctx.reply.error(kSyntaxError);
  const std::optional<double> unit_m =
      ctx.args.size() == 5 ? unit_argument(ctx, 4) : std::optional<double>(1);
  if (!unit_m) return;
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  const std::optional<GeoPosition> from = position_of_member(set, ctx.args[2]);
  const std::optional<GeoPosition> to = position_of_member(set, ctx.args[3]);
  if (!from || !to) return ctx.reply.null();
  reply_distance(ctx.reply, distance_m(*from, *to) / *unit_m);
}

// write(position) for each member that is asked for; without one where it has none.
template <class Write>
void reply_positions(Context& ctx, Write write) {
  const SortedSet* set;
  if (!ctx.keys.read(ctx.args[1], set)) return ctx.reply.error(kWrongType);
  const std::span<const Bytes> members = ctx.args.subspan(2);
  ctx.reply.array(static_cast<int64_t>(members.size()));
  for (const Bytes member : members) write(position_of_member(set, member));
}

void geohash(Context& ctx) {
  reply_positions(ctx, [&](const std::optional<GeoPosition>& position) {
    position ? ctx.reply.bulk(geohash_text(*position)) : ctx.reply.null();
  });
}

void geopos(Context& ctx) {
  reply_positions(ctx, [&](const std::optional<GeoPosition>& position) {
    position ? reply_position(ctx.reply, *position) : ctx.reply.null_array();
  });
}

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "geoadd", .arity = -5, .flags = kWrite | kDenyOom, .keys = {key_at(1, "RW update")},
     .handler = geoadd, .group = "geo", .since = "3.2.0",
     .history = "6.2.0 Takes CH, NX and XX",
     .complexity = "O(log(N)) for each member, in an index of N",
     .summary = "Adds members to a geo index, or moves them",
     .syntax = "key condition:[NX | XX]@6.2.0 [change:CH]@6.2.0 longitude:double latitude:double "
               "member [longitude:double latitude:double member ...]"},
    {.name = "geodist", .arity = -4, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = geodist, .group = "geo", .since = "3.2.0",
     .complexity = "O(log(N)) in an index of N members",
     .summary = "Returns the distance between two members",
     .syntax = "key member1 member2 unit:[M | KM | FT | MI]"},
    {.name = "geohash", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = geohash, .group = "geo", .since = "3.2.0",
     .complexity = "O(log(N)) for each member, in an index of N",
     .summary = "Returns where members are, as geohash texts", .syntax = "key [member ...]"},
    {.name = "geopos", .arity = -2, .flags = kReadOnly, .keys = {key_at(1, "RO access")},
     .handler = geopos, .group = "geo", .since = "3.2.0",
     .complexity = "O(log(N)) for each member, in an index of N",
     .summary = "Returns where members are, as longitude and latitude",
     .syntax = "key [member ...]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> geo_rows() { return kRows; }

}  // namespace tandem
