#include "engine/context.h"

#include <algorithm>

#include "engine/executor.h"

namespace tandem {
namespace {

std::string null_reply(int protocol, BlockRequest::OnTimeout kind) {
  std::string out;
  ReplyWriter reply(out, protocol);
  kind == BlockRequest::OnTimeout::kNull ? reply.null() : reply.null_array();
  return out;
}

}  // namespace

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

std::shared_ptr<Waiter> SessionContext::block_externally(
    int64_t deadline_ms, std::function<std::string()> timeout_reply) {
  if (!may_block) return nullptr;
  auto deliver = client.unblocker();
  if (deliver == nullptr) return nullptr;
  auto waiter = std::make_shared<Waiter>();
  waiter->command = &command;
  waiter->database = client.database;
  waiter->protocol = client.protocol;
  waiter->deadline_ms = deadline_ms;
  waiter->timeout_reply = std::move(timeout_reply);
  waiter->deliver = std::move(deliver);
  client.waiter = waiter;
  blocked = true;
  return waiter;
}

}  // namespace tandem
