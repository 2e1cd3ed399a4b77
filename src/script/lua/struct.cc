#include <bit>
#include <climits>
#include <cstring>
#include <iterator>

#include "base/bytes.h"
#include "script/lua/buffer.h"
#include "script/lua/libraries.h"
#include "script/lua/lua.h"

namespace tandem {
namespace {

constexpr int kIntegerBytesMax = 32;
constexpr int kAlignmentDefault = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

// Reads a format option by option and keeps what its controls have set.
class Format {
 public:
  Format(lua_State* lua, const char* text) : lua_(lua), next_(text) {}

  // False at the end.
  bool read() {
    if (*next_ == '\0') return false;
    option = *next_++;
    size = option_size();
    return true;
  }

  // How many bytes stand before the option when `position` bytes do.
  size_t padding(size_t position) const {
    if (size == 0 || option == 'c') return 0;
    const size_t align = size > align_ ? align_ : size;
    return (align - (position & (align - 1))) & (align - 1);
  }

  // The option is none that stands for a value.
  void control() {
    switch (option) {
      case ' ':
        return;
      case '>':
      case '<':
        big_endian = option == '>';
        return;
      case '!':
        return set_alignment(number(kAlignmentDefault));
      default:
        luaL_argerror(lua_, 1, lua_pushfstring(lua_, "invalid format option '%c'", option));
    }
  }

  char option = '\0';
  size_t size = 0;
  bool big_endian = false;

 private:
  size_t option_size() {
    switch (option) {
      case 'b':
      case 'B':
      case 'x':
        return 1;
      case 'h':
      case 'H':
        return 2;
      case 'f':
        return 4;
      case 'l':
      case 'L':
      case 'T':
      case 'd':
        return 8;
      case 'c':
        return static_cast<size_t>(number(1));
      case 'i':
      case 'I':
        return integer_size();
      default:
        return 0;
    }
  }

  size_t integer_size() {
    const int bytes = number(sizeof(int));
    if (bytes > kIntegerBytesMax) {
      luaL_error(lua_, "integral size %d is larger than limit of %d", bytes, kIntegerBytesMax);
    }
    return static_cast<size_t>(bytes);
  }

  // The digits that follow, or `otherwise` where there are none.
  int number(int otherwise) {
    if (!is_digit(*next_)) return otherwise;
    int64_t value = 0;
    while (is_digit(*next_)) {
      value = value * 10 + (*next_++ - '0');
      if (value > INT_MAX) luaL_error(lua_, "integral size overflow");
    }
    return static_cast<int>(value);
  }

  void set_alignment(int bytes) {
    if (!std::has_single_bit(static_cast<unsigned>(bytes))) {
      luaL_error(lua_, "alignment %d is not a power of 2", bytes);
    }
    align_ = static_cast<size_t>(bytes);
  }

  lua_State* lua_;
  const char* next_;
  size_t align_ = 1;
};

void add_number(LuaBuffer& out, const Format& format, uint64_t value) {
  format.big_endian ? out.add_big_endian(value, format.size)
                    : out.add_little_endian(value, format.size);
}

void add_string(lua_State* lua, LuaBuffer& out, const Format& format, int index) {
  size_t size = 0;
  const char* text = luaL_checklstring(lua, index, &size);
  const size_t wanted = format.size == 0 ? size : format.size;
  luaL_argcheck(lua, size >= wanted, index + 1, "string too short");
  out.add(Bytes(text, wanted));
  if (format.option == 's') out.add('\0');
}

// Packs the argument at `index` if the option takes one. True: it did.
bool pack_option(lua_State* lua, LuaBuffer& out, Format& format, int index) {
  switch (format.option) {
    case 'b':
    case 'B':
    case 'h':
    case 'H':
    case 'l':
    case 'L':
    case 'T':
    case 'i':
    case 'I':
      add_number(out, format, to_unsigned(luaL_checknumber(lua, index)));
      return true;
    case 'f': {
      const auto value = static_cast<float>(luaL_checknumber(lua, index));
      add_number(out, format, std::bit_cast<uint32_t>(value));
      return true;
    }
    case 'd':
      add_number(out, format, std::bit_cast<uint64_t>(luaL_checknumber(lua, index)));
      return true;
    case 'c':
    case 's':
      add_string(lua, out, format, index);
      return true;
    case 'x':
      out.add('\0');
      return false;
    default:
      format.control();
      return false;
  }
}

// struct.pack(format, value, ...)
int pack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  lua_pushnil(lua);  // what an argument that is missing looks like
  LuaBuffer out(lua);
  int index = 2;
  while (format.read()) {
    out.add_zeros(format.padding(out.size()));
    if (pack_option(lua, out, format, index)) ++index;
  }
  out.push_string();
  return 1;
}

uint64_t read_number(Bytes bytes, bool big_endian) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[big_endian ? i : bytes.size() - 1 - i];
    value = value << 8 | static_cast<uint8_t>(c);
  }
  return value;
}

// A width over eight bytes takes its sign where the processors that Redis runs on, which count
// shifts modulo 64, find it.
double signed_value(uint64_t value, size_t size) {
  const uint64_t signs = UINT64_MAX << ((size * 8 - 1) & 63);
  return static_cast<double>(static_cast<int64_t>((value & signs) != 0 ? value | signs : value));
}

// What is read of a string, piece by piece. Positions count from 0.
class Reader {
 public:
  Reader(lua_State* lua, Format& format, Bytes data, size_t position)
      : lua_(lua), format_(format), data_(data), position_(position) {}

  size_t position() const { return position_; }
  int values() const { return values_; }

  void option() {
    position_ += format_.padding(position_);
    need(format_.size);
    luaL_checkstack(lua_, 2, "too many results");
    const Bytes bytes = data_.substr(position_, format_.size);
    position_ += format_.size;
    switch (format_.option) {
      case 'B':
      case 'H':
      case 'L':
      case 'T':
      case 'I':
        return push(static_cast<double>(read_number(bytes, format_.big_endian)));
      case 'b':
      case 'h':
      case 'l':
      case 'i':
        return push(signed_value(read_number(bytes, format_.big_endian), bytes.size()));
      case 'f':
        return push(
            std::bit_cast<float>(static_cast<uint32_t>(read_number(bytes, format_.big_endian))));
      case 'd':
        return push(std::bit_cast<double>(read_number(bytes, format_.big_endian)));
      case 'x':
        return;
      case 'c':
        return format_.size == 0 ? counted() : push(bytes);
      case 's':
        return terminated();
      default:
        format_.control();
    }
  }

 private:
  // At least so many bytes are left.
  void need(size_t size) {
    luaL_argcheck(lua_, size <= data_.size() && position_ <= data_.size() - size, 2,
                  "data string too short");
  }
  void push(double number) {
    lua_pushnumber(lua_, number);
    ++values_;
  }
  void push(Bytes bytes) {
    lua_pushlstring(lua_, bytes.data(), bytes.size());
    ++values_;
  }

  // The number before says how many, and is no result of its own.
  void counted() {
    if (values_ == 0 || lua_isnumber(lua_, -1) == 0) {
      luaL_error(lua_, "format 'c0' needs a previous size");
    }
    const uint64_t size = to_unsigned(lua_tonumber(lua_, -1));
    lua_pop(lua_, 1);
    --values_;
    need(size);
    push(data_.substr(position_, size));
    position_ += size;
  }

  void terminated() {
    const Bytes rest = data_.substr(position_);
    const size_t end = rest.find('\0');
    if (end == Bytes::npos) luaL_error(lua_, "unfinished string in data");
    push(rest.substr(0, end));
    position_ += end + 1;
  }

  lua_State* lua_;
  Format& format_;
  Bytes data_;
  size_t position_;
  int values_ = 0;
};

// struct.unpack(format, string [, position]) -> values ..., next position
int unpack(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  size_t size = 0;
  const char* data = luaL_checklstring(lua, 2, &size);
  const auto position = static_cast<size_t>(luaL_optinteger(lua, 3, 1));
  luaL_argcheck(lua, position > 0, 3, "offset must be 1 or greater");
  lua_settop(lua, 2);
  Reader reader(lua, format, Bytes(data, size), position - 1);
  while (format.read()) reader.option();
  lua_pushnumber(lua, static_cast<double>(static_cast<int64_t>(reader.position() + 1)));
  return reader.values() + 1;
}

// struct.size(format)
int size_of(lua_State* lua) {
  Format format(lua, luaL_checkstring(lua, 1));
  size_t position = 0;
  while (format.read()) {
    position += format.padding(position);
    luaL_argcheck(lua, format.option != 's', 1, "option 's' has no fixed size");
    luaL_argcheck(lua, format.option != 'c' || format.size > 0, 1, "option 'c0' has no fixed size");
    const char c = format.option;
    if (!is_digit(c) && !is_lower(c) && !is_upper(c)) format.control();
    position += format.size;
  }
  lua_pushnumber(lua, static_cast<double>(position));
  return 1;
}

}  // namespace

void push_struct_library(lua_State* lua) {
  static constexpr luaL_Reg kFunctions[] = {
      {"pack", pack},
      {"unpack", unpack},
      {"size", size_of},
  };
  lua_createtable(lua, 0, static_cast<int>(std::size(kFunctions)));
  for (const luaL_Reg& function : kFunctions) {
    lua_pushcfunction(lua, function.func);
    lua_setfield(lua, -2, function.name);
  }
}

}  // namespace tandem
