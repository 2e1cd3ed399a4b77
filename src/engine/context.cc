#include "engine/context.h"

#include <algorithm>

#include "base/error_text.h"
#include "engine/blocked_clients.h"

namespace tandem {
namespace {

std::string null_reply(int protocol, BlockRequest::OnTimeout kind) {
  std::string out;
  ReplyWriter reply(out, protocol);
  kind == BlockRequest::OnTimeout::kNull ? reply.null() : reply.null_array();
  return out;
}

}  // namespace

void reply_subcommand_syntax(Context& ctx, Bytes container) {
  static constexpr size_t kShownMax = 128;
  const Bytes subcommand = ctx.args.size() > 1 ? ctx.args[1] : Bytes();
  ctx.reply.error(
      error_text("ERR unknown subcommand or wrong number of arguments for '{}'. Try {} HELP.",
                 subcommand.substr(0, kShownMax), to_upper(container)));
}

void Context::replicate_as_is() {
  Effects& effects = keys.access().effects();
  raw.empty() ? effects.add(keys.database(), args) : effects.add_encoded(keys.database(), raw);
}

void Context::replicate(std::initializer_list<Bytes> effect) {
  keys.access().effects().add(keys.database(), effect);
}

void Context::replicate(std::span<const Bytes> effect) {
  keys.access().effects().add(keys.database(), effect);
}

void Context::block(BlockRequest request) {
  if (!may_block) {
    reply.raw(null_reply(reply.protocol(), request.on_timeout));
    return;
  }
  blocked = true;
  block_request = std::move(request);
}

std::shared_ptr<Waiter> SessionContext::block_externally(int64_t deadline_ms,
                                                         std::function<std::string()> timeout_reply,
                                                         std::function<void()> let_go) {
  return block_on({.deadline_ms = deadline_ms,
                   .timeout_reply = std::move(timeout_reply),
                   .let_go = std::move(let_go)});
}

std::shared_ptr<Waiter> SessionContext::block_until_rest(
    std::function<std::string()> unblock_reply) {
  return block_on({.goes_on = true, .timeout_reply = std::move(unblock_reply)});
}

std::shared_ptr<Waiter> SessionContext::block_on(WaitTerms terms) {
  if (!may_block) return nullptr;
  terms.deliver = client.unblocker();
  if (terms.deliver == nullptr) return nullptr;
  terms.command = &command;
  terms.client = client.id;
  terms.account = client.account;
  terms.database = client.database;
  terms.protocol = client.protocol;
  client.waiter = std::make_shared<Waiter>(std::move(terms));
  blocked = true;
  return client.waiter;
}

}  // namespace tandem
