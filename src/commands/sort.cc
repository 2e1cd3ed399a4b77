// SORT and SORT_RO: the elements of a list, set or sorted set, in order of themselves or of what
// other keys hold, and other values in their stead.
//
// Which keys BY and GET lead to is known only once the elements are read. So a call with such a
// pattern takes all stripes, any other one those of its own keys (lock_scope).
#include <algorithm>
#include <compare>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/number.h"
#include "commands/elements.h"
#include "commands/table.h"
#include "data/front_sort.h"
#include "data/hash.h"
#include "data/list.h"
#include "data/set.h"
#include "data/sorted_set.h"

namespace tandem {
namespace {

// A zero ends a pattern.
size_t find_star(Bytes pattern) { return pattern.substr(0, pattern.find('\0')).find('*'); }
bool has_star(Bytes pattern) { return find_star(pattern) != Bytes::npos; }

// Leads from an element to a value: "weight_*" to the string of that name, with the element for the
// first star, "object_*->price" to a field of a hash; "#" is the element itself. Without a star it
// leads nowhere.
class Pattern {
 public:
  explicit Pattern(Bytes text) : is_element_(text == "#"), star_(find_star(text)), key_(text) {
    if (star_ == Bytes::npos) return;
    const size_t arrow = text.substr(0, text.find('\0')).find("->", star_ + 1);
    if (arrow == Bytes::npos || arrow + 2 == text.size() || text[arrow + 2] == '\0') return;
    key_ = text.substr(0, arrow);
    field_ = text.substr(arrow + 2);
  }

  std::optional<std::string> value_for(Context& ctx, Bytes element) const {
    if (is_element_) return std::string(element);
    if (star_ == Bytes::npos) return std::nullopt;
    std::string key(key_.substr(0, star_));
    key += element;
    key += key_.substr(star_ + 1);
    return field_ ? field_value(ctx, key) : text_value(ctx, key);
  }

 private:
  std::optional<std::string> field_value(Context& ctx, Bytes key) const {
    const Hash* hash;
    if (!ctx.keys.read(key, hash) || hash == nullptr) return std::nullopt;
    const std::optional<Element> value = hash->get(*field_);
    return value ? std::optional(value->copy()) : std::nullopt;
  }
  static std::optional<std::string> text_value(Context& ctx, Bytes key) {
    StringText text;
    if (!ctx.keys.read_text(key, text) || !text) return std::nullopt;
    return std::string(*text);
  }

  bool is_element_;
  size_t star_;
  Bytes key_;
  std::optional<Bytes> field_;
};

struct SortQuery {
  bool sorts = true;  // not with BY and a pattern without a star
  bool as_text = false;
  bool descending = false;
  std::optional<Pattern> by;
  int64_t offset = 0;
  int64_t limit = -1;  // negative: none
  std::vector<Pattern> get;
  std::optional<Bytes> target;

  // How equals come is not in what they hold.
  bool ties_are_open() const { return sorts && as_text && by.has_value(); }
  void sort_as_texts() {
    sorts = true;
    as_text = true;
    by = std::nullopt;
  }
};

bool parse_limit(OptionWords& words, SortQuery& query) {
  const std::optional<int64_t> offset = words.integer();
  if (!offset) return false;
  const std::optional<int64_t> limit = words.integer();
  if (!limit) return false;
  query.offset = *offset;
  query.limit = *limit;
  return true;
}

// They lead to keys that the call does not name.
bool may_follow_patterns(Context& ctx, Bytes option) {
  if (ctx.may_read_any_key()) return true;
  ctx.reply.error(
      fmt::format("ERR {} option of SORT denied due to insufficient ACL permissions.", option));
  return false;
}

bool parse(Context& ctx, bool may_store, SortQuery& query) {
  for (OptionWords words(ctx, 2); !words.done();) {
    if (words.take("ASC")) {
      query.descending = false;
    } else if (words.take("DESC")) {
      query.descending = true;
    } else if (words.take("ALPHA")) {
      query.as_text = true;
    } else if (words.take("LIMIT", 2)) {
      if (!parse_limit(words, query)) return false;
    } else if (may_store && words.take("STORE", 1)) {
      query.target = words.text();
    } else if (words.take("BY", 1)) {
      query.sorts = query.sorts && has_star(words.peek());
      if (has_star(words.peek()) && !may_follow_patterns(ctx, "BY")) return false;
      query.by = Pattern(words.text());
    } else if (words.take("GET", 1)) {
      if (!may_follow_patterns(ctx, "GET")) return false;
      query.get.emplace_back(words.text());
    } else {
      ctx.reply.error(kSyntaxError);
      return false;
    }
  }
  return true;
}

// What the options of a call say about its keys, before it is executed: these two walk them as
// parse() does.

size_t values_behind(Bytes option) {
  if (equal_ignore_case(option, "LIMIT")) return 2;
  const auto is_option = [&](Bytes known) { return equal_ignore_case(option, known); };
  return is_option("BY") || is_option("GET") || is_option("STORE") ? 1 : 0;
}

LockScope lock_scope(std::span<const Bytes> args) {
  for (size_t at = 2; at + 1 < args.size(); at += 1 + values_behind(args[at])) {
    const bool pattern = equal_ignore_case(args[at], "BY") || equal_ignore_case(args[at], "GET");
    if (pattern && has_star(args[at + 1])) return LockScope::kEverything;
  }
  return LockScope::kKeys;
}

int target_position(std::span<const Bytes> args) {
  size_t position = 0;
  for (size_t at = 2; at + 1 < args.size(); at += 1 + values_behind(args[at])) {
    if (equal_ignore_case(args[at], "STORE")) position = at + 1;
  }
  return static_cast<int>(position);
}

// Null: the key is absent.
bool is_sortable(const Entry* source) {
  if (source == nullptr) return true;
  const ValueType type = source->type();
  return type == ValueType::kList || type == ValueType::kSet || type == ValueType::kSortedSet;
}

size_t size_of(const Entry* source) {
  if (source == nullptr) return 0;
  if (source->type() == ValueType::kList) return source->as<List>().size();
  if (source->type() == ValueType::kSet) return source->as<Set>().size();
  return source->as<SortedSet>().size();
}

struct Range {
  size_t first;
  size_t count;
};

Range limited(const SortQuery& query, size_t size) {
  const auto most = static_cast<int64_t>(size);
  const int64_t first = std::clamp<int64_t>(query.offset, 0, most);
  const int64_t left = most - first;
  const int64_t count = query.limit < 0 ? left : std::min(query.limit, left);
  return {.first = static_cast<size_t>(first), .count = static_cast<size_t>(count)};
}

// An element and what orders it: a number, or with ALPHA what BY leads to.
struct Item {
  std::string element;
  double weight = 0;
  std::optional<std::string> text = std::nullopt;
};

// In the source's own order, which of a set is any. Backwards, `range` counts from the end.
std::vector<Item> load(const Entry* source, Range range, bool backwards) {
  std::vector<Item> items;
  items.reserve(range.count);
  if (range.count == 0) return items;
  const auto take = [&](Bytes element) {
    items.push_back({.element = std::string(element)});
    return items.size() < range.count;
  };
  if (source->type() == ValueType::kList) {
    const List& list = source->as<List>();
    const size_t first = backwards ? list.size() - 1 - range.first : range.first;
    list.for_each(first, range.count, backwards, take);
  } else if (source->type() == ValueType::kSortedSet) {
    const SortedSet& set = source->as<SortedSet>();
    const size_t first = backwards ? set.size() - range.first - range.count : range.first;
    set.for_each({first, range.count}, backwards,
                 [&](Bytes member, double) { return take(member); });
  } else {
    size_t passed_over = 0;
    source->as<Set>().for_each(
        [&](Bytes member) { return passed_over++ < range.first || take(member); });
  }
  return items;
}

// False: something that is to be compared as a number is none.
bool weigh(Context& ctx, const SortQuery& query, std::vector<Item>& items) {
  if (query.as_text && !query.by) return true;
  for (Item& item : items) {
    if (query.by) item.text = query.by->value_for(ctx, item.element);
    if (query.as_text || (query.by && !item.text)) continue;
    const std::optional<double> weight = parse_weight(query.by ? *item.text : item.element);
    if (!weight) return false;
    item.weight = *weight;
  }
  return true;
}

// Elements of one weight are ordered by themselves, those of one text are not.
int compare(const SortQuery& query, const Item& one, const Item& other) {
  const auto sign = [](std::weak_ordering order) { return order < 0 ? -1 : order > 0 ? 1 : 0; };
  if (query.ties_are_open()) return sign(one.text <=> other.text);
  if (one.weight != other.weight) return one.weight < other.weight ? -1 : 1;
  return sign(one.element <=> other.element);
}

// Puts what `range` selects of them in order, and there: O(N + M*log(M)) for M of N.
void arrange(const SortQuery& query, Range range, std::vector<Item>& items) {
  const auto order = [&query](const Item& one, const Item& other) {
    return query.descending ? compare(query, other, one) : compare(query, one, other);
  };
  if (query.ties_are_open()) return sort_part(items, range.first, range.count, order);
  const auto before = [&order](const Item& a, const Item& b) { return order(a, b) < 0; };
  const auto first = items.begin() + static_cast<ptrdiff_t>(range.first);
  const auto last = first + static_cast<ptrdiff_t>(range.count);
  if (range.count == 0) return;
  if (last != items.end()) std::nth_element(items.begin(), last, items.end(), before);
  if (first != items.begin()) std::nth_element(items.begin(), first, last, before);
  std::sort(first, last, before);
}

// What GET leads to for each of the items, or they themselves, until visit returns false.
void for_each_value(Context& ctx, const SortQuery& query, std::span<const Item> items,
                    FunctionRef<bool(const std::optional<std::string>&)> visit) {
  const Pattern itself("#");
  const std::span<const Pattern> patterns =
      query.get.empty() ? std::span(&itself, 1) : std::span(query.get);
  for (const Item& item : items) {
    for (const Pattern& pattern : patterns) {
      if (!visit(pattern.value_for(ctx, item.element))) return;
    }
  }
}

void reply_values(Context& ctx, const SortQuery& query, std::span<const Item> items) {
  ctx.reply.array(static_cast<int64_t>(items.size() * std::max<size_t>(query.get.size(), 1)));
  for_each_value(ctx, query, items, [&](const std::optional<std::string>& value) {
    value ? ctx.reply.bulk(*value) : ctx.reply.null();
    return !ctx.reply.is_full();
  });
}

void store_values(Context& ctx, const SortQuery& query, std::span<const Item> items) {
  std::vector<std::string> values;
  for_each_value(ctx, query, items, [&](const std::optional<std::string>& value) {
    values.push_back(value.value_or(""));
    return true;
  });
  List list;
  const std::vector<Bytes> elements(values.begin(), values.end());
  if (!elements.empty()) list.push(ListEnd::kTail, elements, ctx.keys.limits());
  // A replica may see a set in another order, or sort by another C library: it gets the list.
  const bool states_result = query.ties_are_open() && !values.empty();
  if (states_result) {
    ctx.replicate({"DEL", *query.target});
    replicate_in_parts(ctx, "RPUSH", *query.target, values);
  }
  store_result(ctx, event::kSortStore, *query.target, std::move(list),
               states_result ? Effect::none() : as_is(ctx), values.size());
}

// What the query selects, in its order. Nothing: it does not compare, and that was answered.
std::optional<std::vector<Item>> select(Context& ctx, const SortQuery& query, const Entry* source) {
  const size_t size = size_of(source);
  const Range range = limited(query, size);
  if (!query.sorts) return load(source, range, query.descending);
  std::vector<Item> items = load(source, {.first = 0, .count = size}, false);
  if (!weigh(ctx, query, items)) {
    ctx.reply.error("ERR One or more scores can't be converted into double");
    return std::nullopt;
  }
  arrange(query, range, items);
  const auto first = items.begin() + static_cast<ptrdiff_t>(range.first);
  items.erase(first + static_cast<ptrdiff_t>(range.count), items.end());
  items.erase(items.begin(), first);
  return items;
}

void sort_elements(Context& ctx, bool may_store) {
  SortQuery query;
  if (!parse(ctx, may_store, query)) return;
  const Entry* source = ctx.keys.read(ctx.args[1]);
  if (!is_sortable(source)) return ctx.reply.error(kWrongType);
  const bool is_set = source != nullptr && source->type() == ValueType::kSet;
  // What is stored, or seen by a script, does not hang on the order that a set happens to have.
  if (is_set && !query.sorts && (query.target || ctx.from_script)) query.sort_as_texts();
  const std::optional<std::vector<Item>> items = select(ctx, query, source);
  if (!items) return;
  query.target ? store_values(ctx, query, *items) : reply_values(ctx, query, *items);
}

void sort(Context& ctx) { sort_elements(ctx, true); }
void sort_ro(Context& ctx) { sort_elements(ctx, false); }

// clang-format off: a row is a record
const std::vector<CommandRow> kRows = {
    {.name = "sort", .arity = -2, .flags = kWrite | kDenyOom | kMovableKeys,
     .keys = {key_at(1, "RO access"), keys_unknown("RO access"),
              key_found_by(target_position, "OW update")},
     .scope = LockScope::kByArguments, .scope_of = lock_scope, .handler = sort,
     .group = "generic", .categories = "set sortedset list dangerous", .since = "1.0.0",
     .complexity = "O(N+M*log(M)) for M of N elements, O(N) where they are not sorted",
     .summary = "Returns or stores the elements of a list, set or sorted set in order",
     .syntax = "key [BY by-pattern:pattern=pattern] [LIMIT offset count] "
               "[GET get-pattern:pattern=pattern ...] order:[ASC | DESC] [sorting:ALPHA] "
               "[STORE destination]"},
    {.name = "sort_ro", .arity = -2, .flags = kReadOnly | kMovableKeys,
     .keys = {key_at(1, "RO access"), keys_unknown("RO access")},
     .scope = LockScope::kByArguments, .scope_of = lock_scope, .handler = sort_ro,
     .group = "generic", .categories = "set sortedset list dangerous", .since = "7.0.0",
     .complexity = "O(N+M*log(M)) for M of N elements, O(N) where they are not sorted",
     .summary = "Returns the elements of a list, set or sorted set in order",
     .syntax = "key [BY by-pattern:pattern=pattern] [LIMIT offset count] "
               "[GET get-pattern:pattern=pattern ...] order:[ASC | DESC] [sorting:ALPHA]"},
};
// clang-format on

}  // namespace

std::vector<CommandRow> sort_rows() { return kRows; }

}  // namespace tandem
