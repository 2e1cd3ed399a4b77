#include "data/stream_node.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/number.h"
#include "data/encoded_element.h"
#include "data/listpack.h"

namespace tandem {

std::optional<StreamId> StreamId::next() const {
  if (seq != kStreamIdMax.seq) return StreamId{ms, seq + 1};
  if (ms != kStreamIdMax.ms) return StreamId{ms + 1, 0};
  return std::nullopt;
}

std::optional<StreamId> StreamId::previous() const {
  if (seq != 0) return StreamId{ms, seq - 1};
  if (ms != 0) return StreamId{ms - 1, kStreamIdMax.seq};
  return std::nullopt;
}

std::string StreamId::text() const {
  char out[2 * kInt64TextMax + 1];
  size_t size = write_uint64(out, ms);
  out[size++] = '-';
  size += write_uint64(out + size, seq);
  return std::string(out, size);
}

std::string StreamId::big_endian() const {
  std::string key(kStreamIdBytes, '\0');
  for (size_t i = 0; i < 8; ++i) {
    key[i] = static_cast<char>(ms >> (56 - 8 * i));
    key[8 + i] = static_cast<char>(seq >> (56 - 8 * i));
  }
  return key;
}

StreamId StreamId::from_big_endian(Bytes key) {
  CHECK(key.size() == kStreamIdBytes, "a stream id has 16 bytes");
  StreamId id;
  for (size_t i = 0; i < 8; ++i) {
    id.ms = id.ms << 8 | static_cast<uint8_t>(key[i]);
    id.seq = id.seq << 8 | static_cast<uint8_t>(key[8 + i]);
  }
  return id;
}

namespace {

constexpr uint8_t kDeleted = 1;
constexpr uint8_t kSameFields = 2;
constexpr uint64_t kNumberBytesMax = 10;

uint8_t* write_number(uint8_t* to, uint64_t value) {
  for (; value > 0x7F; value >>= 7) *to++ = static_cast<uint8_t>(value | 0x80);
  *to++ = static_cast<uint8_t>(value);
  return to;
}

uint64_t read_number(const uint8_t*& at) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const uint8_t byte = *at++;
    value |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
}

// Near to zero on either side, so that what is little below takes few bytes, too.
uint64_t sign_last(uint64_t difference) { return difference << 1 ^ (0 - (difference >> 63)); }
uint64_t sign_first(uint64_t number) { return number >> 1 ^ (0 - (number & 1)); }

// Of an entry of so many fields, in a listpack.
uint64_t pieces_of(bool same_fields, uint64_t fields) {
  return same_fields ? fields + 3 : 2 * fields + 4;
}

void skip_elements(const uint8_t*& at, uint64_t count) {
  while (count-- > 0) at += encoded_length(at);
}

uint64_t listpack_bytes_of(uint64_t integer) {
  return EncodedElement::of_integer(static_cast<int64_t>(integer)).listpack_bytes();
}

}  // namespace

// Puts elements at the end of a node, and counts what they take in a listpack.
class StreamNode::Writer {
 public:
  explicit Writer(Body& body) : body_(body), begun_(body.bytes.size()) {}

  void flags(uint8_t flags) {
    *room(1) = flags;
    body_.listpack_bytes += listpack_bytes_of(flags);
  }
  // `in_listpack`: as it stands there.
  void number(uint64_t number, uint64_t in_listpack) {
    uint8_t bytes[kNumberBytesMax];
    const auto size = static_cast<size_t>(write_number(bytes, number) - bytes);
    std::memcpy(room(size), bytes, size);
    body_.listpack_bytes += listpack_bytes_of(in_listpack);
  }
  void element(const EncodedElement& element) {
    element.write(room(element.length()));
    body_.listpack_bytes += element.listpack_bytes();
  }
  void end_entry(uint64_t pieces) {
    const uint64_t length = body_.bytes.size() - begun_;
    write_backlen(room(listpack_format::backlen_bytes(length)), length);
    body_.listpack_bytes += listpack_bytes_of(pieces);
  }

 private:
  uint8_t* room(uint64_t more) {
    std::vector<uint8_t>& bytes = body_.bytes;
    const size_t size = bytes.size();
    if (size + more > bytes.capacity()) bytes.reserve(std::max(size + more, size + size / 4));
    bytes.resize(size + more);
    return bytes.data() + size;
  }

  Body& body_;
  const size_t begun_;
};

StreamNode::StreamNode(StreamId master, std::span<const Bytes> fields_and_values)
    : StreamNode(master) {
  Body& body = body_.write();
  Writer out(body);
  for (size_t i = 0; i < fields_and_values.size(); i += 2) {
    out.element(EncodedElement::of(fields_and_values[i]));
  }
  end_fields(fields_and_values.size() / 2);
}

void StreamNode::end_fields(uint64_t count) {
  Body& body = body_.write();
  body.field_count = static_cast<uint32_t>(count);
  body.entries_at = end();
  body.listpack_bytes +=
      listpack_format::kEmptyBytes + listpack_bytes_of(count) + listpack_bytes_of(0);
}

uint64_t StreamNode::listpack_bytes() const {
  return body_->listpack_bytes + listpack_bytes_of(live()) + listpack_bytes_of(deleted());
}

bool StreamNode::has_same_fields(std::span<const Bytes> fields_and_values) const {
  if (body_->field_count != fields_and_values.size() / 2) return false;
  const uint8_t* at = byte(0);
  for (size_t i = 0; i < fields_and_values.size(); i += 2) {
    if (!element_matches(at, fields_and_values[i])) return false;
    at += encoded_length(at);
  }
  return true;
}

void StreamNode::append(StreamId id, std::span<const Bytes> fields_and_values) {
  DCHECK(id >= master_, "a stream entry before its node");
  const size_t fields = fields_and_values.size() / 2;
  const bool same = has_same_fields(fields_and_values);
  Body& body = body_.write();
  Writer out(body);
  begin_entry(out, same ? kSameFields : 0, id);
  if (!same) out.number(fields, fields);
  for (size_t i = 0; i < fields_and_values.size(); i += 2) {
    if (!same) out.element(EncodedElement::of(fields_and_values[i]));
    out.element(EncodedElement::of(fields_and_values[i + 1]));
  }
  out.end_entry(pieces_of(same, fields));
  ++body.live;
}

void StreamNode::begin_entry(Writer& out, uint8_t flags, StreamId id) const {
  out.flags(flags);
  out.number(id.ms - master_.ms, id.ms - master_.ms);
  out.number(sign_last(id.seq - master_.seq), id.seq - master_.seq);
}

void StreamNode::shrink_to_fit() {
  if (body_->bytes.capacity() != body_->bytes.size()) body_.write().bytes.shrink_to_fit();
}

StreamNode::Entry StreamNode::entry_at(Position at) const {
  const uint8_t* from = byte(at);
  Entry entry{};
  entry.at = at;
  const uint8_t flags = *from++;
  entry.is_deleted = (flags & kDeleted) != 0;
  entry.same_fields = (flags & kSameFields) != 0;
  entry.id.ms = master_.ms + read_number(from);
  entry.id.seq = master_.seq + sign_first(read_number(from));
  entry.field_count = entry.same_fields ? body_->field_count : read_number(from);
  entry.body = static_cast<Position>(from - byte(0));
  return entry;
}

StreamNode::Position StreamNode::after(const Entry& entry) const {
  const uint8_t* from = byte(entry.body);
  skip_elements(from, entry.same_fields ? entry.field_count : 2 * entry.field_count);
  const auto length = static_cast<Position>(from - byte(entry.at));
  return entry.at + length + listpack_format::backlen_bytes(length);
}

// The start of the entry that ends there.
StreamNode::Position StreamNode::start_before(Position after) const {
  const uint64_t length = read_backlen(byte(after));
  return after - static_cast<Position>(length + listpack_format::backlen_bytes(length));
}

StreamId StreamNode::last_id() const { return entry_at(start_before(end())).id; }

void StreamNode::walk(bool backwards, FunctionRef<bool(const Entry&)> visit) const {
  if (backwards) {
    for (Position at = end(); at != body_->entries_at;) {
      at = start_before(at);
      if (!visit(entry_at(at))) return;
    }
    return;
  }
  for (Position at = body_->entries_at; at != end();) {
    const Entry entry = entry_at(at);
    if (!visit(entry)) return;
    at = after(entry);
  }
}

void StreamNode::read_fields(const Entry& entry, std::vector<Element>& out) const {
  out.clear();
  const uint8_t* at = byte(entry.body);
  const uint8_t* field = entry.same_fields ? byte(0) : nullptr;
  const auto take = [&out](const uint8_t*& from) {
    out.push_back(read_element(from));
    from += encoded_length(from);
  };
  for (uint64_t i = 0; i < entry.field_count; ++i) {
    take(entry.same_fields ? field : at);
    take(at);
  }
}

void StreamNode::mark_deleted(const Entry& entry) {
  DCHECK(!entry.is_deleted, "a stream entry deleted twice");
  Body& body = body_.write();
  body.bytes[entry.at] |= kDeleted;
  --body.live;
  ++body.deleted;
}

uint64_t StreamNode::mark_deleted_while(FunctionRef<bool(StreamId)> wanted) {
  uint64_t marked = 0;
  for (Position at = body_->entries_at; at != end();) {
    const Entry entry = entry_at(at);
    if (!entry.is_deleted) {
      if (!wanted(entry.id)) break;
      mark_deleted(entry);
      ++marked;
    }
    at = after(entry);
  }
  return marked;
}

// Redis's form, a listpack of
//
//   node   = count deleted field-count field* 0 entry*
//   entry  = flags ms-difference seq-difference body piece-count
//   body   = value*  or  field-count (field value)*         as above
//
// count and deleted are how many entries live and how many carry kDeleted. piece-count is the
// number of elements of the entry without itself.

namespace {

class ListpackWriter {
 public:
  explicit ListpackWriter(uint64_t bytes) : out_(bytes, '\0') {}

  void integer(uint64_t value) {
    const EncodedElement element = EncodedElement::of_integer(static_cast<int64_t>(value));
    to_ = write_backlen(element.write(to_), element.length());
    ++count_;
  }
  // As it lies in the node, whose bytes go on behind it.
  void element(const uint8_t*& at) {
    const uint64_t length = encoded_length(at);
    std::memcpy(to_, at, length);
    to_ = write_backlen(to_ + length, length);
    at += length;
    ++count_;
  }
  std::string end() {
    using namespace listpack_format;  // NOLINT(google-build-using-namespace): its grammar
    auto* begin = reinterpret_cast<uint8_t*>(out_.data());
    *to_++ = kEnd;
    CHECK(to_ == begin + out_.size(), "a node knows how long its listpack is");
    store_little_endian(begin, out_.size(), 4);
    store_little_endian(begin + 4, std::min<uint64_t>(count_, kCountUnknown), 2);
    return std::move(out_);
  }

 private:
  std::string out_;
  uint8_t* to_ = reinterpret_cast<uint8_t*>(out_.data()) + listpack_format::kHeaderBytes;
  uint64_t count_ = 0;
};

}  // namespace

std::string StreamNode::listpack() const {
  ListpackWriter out(listpack_bytes());
  out.integer(live());
  out.integer(deleted());
  out.integer(body_->field_count);
  const uint8_t* field = byte(0);
  for (uint64_t i = 0; i < body_->field_count; ++i) out.element(field);
  out.integer(0);
  walk(false, [&](const Entry& entry) {
    out.integer((entry.is_deleted ? kDeleted : 0) | (entry.same_fields ? kSameFields : 0));
    out.integer(entry.id.ms - master_.ms);
    out.integer(entry.id.seq - master_.seq);
    if (!entry.same_fields) out.integer(entry.field_count);
    const uint8_t* at = byte(entry.body);
    uint64_t elements = entry.same_fields ? entry.field_count : 2 * entry.field_count;
    for (; elements > 0; --elements) out.element(at);
    out.integer(pieces_of(entry.same_fields, entry.field_count));
    return true;
  });
  return out.end();
}

// Reads a listpack that nobody has looked into, an element at a time.
class StreamNode::Reader {
 public:
  Reader(Bytes blob, StreamNode& node)
      : elements_(blob), at_(elements_.first()), node_(node), out_(node.body_.write()) {}

  bool run() {
    uint64_t live = 0;
    uint64_t deleted = 0;
    uint64_t zero = 0;
    if (!number(live) || !number(deleted) || !number(fields_) || !copy(out_, fields_)) return false;
    if (!number(zero) || zero != 0) return false;
    node_.end_fields(fields_);
    while (at_ != elements_.end()) {
      if (!entry()) return false;
    }
    return live == out_.live && deleted == out_.deleted && live + deleted > 0;
  }

 private:
  bool integer(uint64_t& out) {
    if (at_ == elements_.end()) return false;
    const Element element = elements_.get(at_);
    if (!element.is_integer()) return false;
    out = static_cast<uint64_t>(element.integer());
    at_ = elements_.next(at_);
    return true;
  }
  bool number(uint64_t& out) {
    constexpr uint64_t kMost = std::numeric_limits<uint32_t>::max();
    return integer(out) && out <= kMost;
  }
  bool copy(Writer& out, uint64_t count) {
    for (; count > 0; --count) {
      if (at_ == elements_.end()) return false;
      const Element element = elements_.get(at_);
      out.element(element.is_integer() ? EncodedElement::of_integer(element.integer())
                                       : EncodedElement::of(element.text()));
      at_ = elements_.next(at_);
    }
    return true;
  }
  bool copy(Body& body, uint64_t count) {
    Writer out(body);
    return copy(out, count);
  }

  bool entry() {
    uint64_t flags = 0;
    StreamId difference;
    if (!number(flags) || flags > (kDeleted | kSameFields)) return false;
    if (!integer(difference.ms) || !integer(difference.seq)) return false;
    const StreamId id{node_.master_.ms + difference.ms, node_.master_.seq + difference.seq};
    if (id < node_.master_ || (out_.live + out_.deleted > 0 && id <= last_)) return false;
    last_ = id;
    Writer out(out_);
    node_.begin_entry(out, static_cast<uint8_t>(flags), id);
    const bool same = (flags & kSameFields) != 0;
    uint64_t fields = fields_;
    if (!same) {
      if (!number(fields)) return false;
      out.number(fields, fields);
    }
    uint64_t stated = 0;
    if (!copy(out, same ? fields : 2 * fields) || !number(stated)) return false;
    if (stated != pieces_of(same, fields)) return false;
    out.end_entry(stated);
    ++((flags & kDeleted) != 0 ? out_.deleted : out_.live);
    return true;
  }

  ListpackView elements_;
  ListpackView::Position at_;
  StreamNode& node_;
  Body& out_;
  StreamId last_;
  uint64_t fields_ = 0;
};

std::optional<StreamNode> StreamNode::from_listpack(StreamId master, Bytes blob) {
  if (!ListpackView::validate(blob)) return std::nullopt;
  StreamNode node(master);
  if (!Reader(blob, node).run()) return std::nullopt;
  node.shrink_to_fit();
  return node;
}

}  // namespace tandem
