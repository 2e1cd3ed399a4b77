#include "rdb/rdb_capture.h"

#include <optional>

#include "rdb/rdb_values.h"

namespace tandem {
namespace {

constexpr size_t kPlainKeptMax = 256 * 1024;
constexpr size_t kTextsKeptMax = 8 * 1024;

}  // namespace

bool RdbCapture::Notes::pack(RdbEncoder& encoder, Bytes text) {
  const size_t at = begin_ + static_cast<size_t>(encoder.written());
  capture_.texts_.push_back({at, text.size(), kind, false});
  return false;
}

void RdbCapture::add(const Entry& entry) {
  char digits[kInt64TextMax];
  const ValueRef value = entry.ref(digits);
  StringSink sink(plain_);
  Notes notes(*this, RdbStringKind::key());
  RdbEncoder encoder(sink, options_.compress ? &notes : nullptr);
  rdb_encode_head(encoder, entry.key(), rdb_type_of(value, options_.version),
                  rdb_attributes_of(entry, options_.uses));
  notes.kind = RdbStringKind::value(value.type);
  const bool shared = value.type == ValueType::kString && value.text.size() > Entry::kInlineMax;
  if (!shared) rdb_encode_value(encoder, value, options_.version);
  encoder.flush();
  if (!shared) return;
  texts_.push_back({plain_.size(), value.text.size(), notes.kind, true});
  shared_.push_back(entry.share_text());
  shared_bytes_ += value.text.size();
}

void RdbCapture::add(RdbStringKind kind, FunctionRef<void(RdbEncoder&)> encode) {
  StringSink sink(plain_);
  Notes notes(*this, kind);
  RdbEncoder encoder(sink, options_.compress ? &notes : nullptr);
  encode(encoder);
  encoder.flush();
}

void RdbCapture::put(RdbEncoder& to, const Text& text, RdbPacking* packing) {
  const size_t head_bytes = text.shared ? 0 : rdb_length_bytes(text.size);
  const Bytes bytes = text.shared ? shared_[next_shared_++].text()
                                  : Bytes(plain_).substr(text.at + head_bytes, text.size);
  if (!text.shared) at_ += head_bytes + text.size;
  const bool tried = packing != nullptr && options_.compress;
  if (tried && packing->pack(to, text.kind, bytes)) return;
  to.length(text.size);
  to.raw(bytes);
}

bool RdbCapture::encode(ByteSink& sink, RdbPacking* packing, size_t bytes) {
  RdbEncoder to(sink);
  while (text_ < texts_.size() && to.written() < bytes) {
    const Text& text = texts_[text_++];
    to.raw(Bytes(plain_).substr(at_, text.at - at_));
    at_ = text.at;
    put(to, text, packing);
  }
  // What lies between two places that were noted is short, or there would be one in it.
  const bool last = text_ == texts_.size();
  if (last) to.raw(Bytes(plain_).substr(at_));
  to.flush();
  if (last) clear();
  return !last;
}

void RdbCapture::clear() {
  clear_and_keep(plain_, kPlainKeptMax);
  clear_and_keep(texts_, kTextsKeptMax);
  clear_and_keep(shared_, kTextsKeptMax);
  shared_bytes_ = at_ = text_ = next_shared_ = 0;
}

}  // namespace tandem
