// What commands about elements of containers share, whatever the container.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>

#include "commands/arguments.h"

namespace tandem {

// Elements in a reply, and what belongs to each where that is asked for: a field's value, a
// member's score.
class ElementReply {
 public:
  enum class Form : uint8_t {
    kAlone,   // the elements only
    kInARow,  // element, value, element, value
    kPairs,   // an array of two for each
  };
  // What commands do that pair only in RESP3.
  static Form form_for(const ReplyWriter& reply, bool with_values) {
    if (!with_values) return Form::kAlone;
    return reply.protocol() > 2 ? Form::kPairs : Form::kInARow;
  }

  ElementReply(ReplyWriter& reply, Form form) : reply_(reply), form_(form) {}

  // The array in which so many elements follow.
  void begin(uint64_t count) {
    reply_.array(static_cast<int64_t>(form_ == Form::kInARow ? 2 * count : count));
  }
  void add(Bytes element) { reply_.bulk(element); }
  void add(Bytes element, Bytes value) {
    if (add_name(element)) reply_.bulk(value);
  }
  void add(Bytes element, double score) {
    if (add_name(element)) reply_.number(score);
  }
  bool is_full() const { return reply_.is_full(); }

 private:
  // Whether a value follows.
  bool add_name(Bytes element) {
    if (form_ == Form::kPairs) reply_.array(2);
    reply_.bulk(element);
    return form_ != Form::kAlone;
  }

  ReplyWriter& reply_;
  const Form form_;
};

// HDEL, SREM, ZREM: takes the named elements out and answers how many were there.
template <class T>
void remove_elements(Context& ctx, const KeyEvent& event) {
  Edit<T> container(ctx.keys, ctx.args[1]);
  if (container.is_other_type()) return ctx.reply.error(kWrongType);
  if (!container) return ctx.reply.integer(0);
  T& elements = container.change();
  uint64_t removed = 0;
  for (const Bytes element : ctx.args.subspan(2)) removed += elements.remove(element) ? 1 : 0;
  ctx.reply.integer(static_cast<int64_t>(removed));
  removed > 0 ? container.done(event, removed, as_is(ctx)) : container.unchanged();
}

// Hands the first of the keys that has such a container to `pop`, with the key. False: none has
// one, and nothing was answered.
template <class T, class Pop>
bool pop_from_first(Context& ctx, std::span<const Bytes> keys, Pop pop) {
  for (const Bytes key : keys) {
    Edit<T> container(ctx.keys, key);
    if (container.is_other_type()) {
      ctx.reply.error(kWrongType);
      return true;
    }
    if (!container) continue;
    pop(key, container);
    return true;
  }
  return false;
}
// What comes then of a command that may wait.
void wait_for_any(Context& ctx, std::span<const Bytes> keys, ValueType type, int64_t deadline_ms);

// What the arguments of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER ask for.
struct DrawArguments {
  std::optional<int64_t> count;  // negative: elements may come twice; nothing: one, not in an array
  bool with_values = false;
};
// `values_word`: "WITHSCORES"; empty where there is none.
std::optional<DrawArguments> draw_arguments(Context& ctx, Bytes values_word);

// Answers with elements by chance; `draw_one` adds one of a container that is not empty.
template <class T, class DrawOne>
void draw_elements(Context& ctx, Bytes values_word, DrawOne draw_one) {
  const std::optional<DrawArguments> wanted = draw_arguments(ctx, values_word);
  if (!wanted) return;
  const T* container;
  if (!ctx.keys.read(ctx.args[1], container)) return ctx.reply.error(kWrongType);
  ElementReply reply(ctx.reply, ElementReply::form_for(ctx.reply, wanted->with_values));
  if (!wanted->count) {
    return container != nullptr ? draw_one(*container, ctx.random, reply) : ctx.reply.null();
  }
  if (container == nullptr || *wanted->count == 0) return ctx.reply.array(0);
  if (*wanted->count < 0) {
    const auto count = static_cast<uint64_t>(-*wanted->count);
    reply.begin(count);
    for (uint64_t i = 0; i < count && !reply.is_full(); ++i) {
      draw_one(*container, ctx.random, reply);
    }
    return;
  }
  const auto count = std::min<uint64_t>(static_cast<uint64_t>(*wanted->count), container->size());
  reply.begin(count);
  container->sample(count, ctx.random, [&](const auto&... element) { reply.add(element...); });
}

// The end of SINTERSTORE and its kin: the key gets the result, or goes where that is empty. Answers
// with its size.
template <class T>
void store_result(Context& ctx, const KeyEvent& event, Bytes key, T result, const Effect& effect,
                  uint64_t changes = 1) {
  const size_t size = result.size();
  if (size > 0) {
    ctx.keys.put(event, key, Value(std::make_unique<T>(std::move(result))), kNoExpiry, effect,
                 changes);
  } else {
    ctx.keys.erase_unseen(event::kDel, key, effect);
  }
  ctx.reply.integer(static_cast<int64_t>(size));
}

// "SREM key element ..." in commands of a moderate size.
void replicate_in_parts(Context& ctx, Bytes command, Bytes key,
                        std::span<const std::string> elements);

}  // namespace tandem
