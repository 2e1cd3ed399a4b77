// The files that a configuration touches, behind an interface so that tests need no disk.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/directive.h"

namespace tandem {

class ConfigFiles {
 public:
  virtual ~ConfigFiles() = default;
  virtual Result<std::string> read(const std::string& path) = 0;
  virtual Result<std::string> read_standard_input() = 0;
  // The paths that a shell pattern matches, sorted; the pattern itself when it has no special
  // characters.
  virtual std::vector<std::string> expand(const std::string& pattern) = 0;
  // Replaces the file as a whole: a reader sees the old text or the new, also after a crash.
  virtual Result<void> replace(const std::string& path, const std::string& text) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual std::string absolute(const std::string& path) = 0;
};

// The server's configuration: reads redis.conf and the command line at start, answers CONFIG GET,
// SET and REWRITE later. Values live in the Options structs (config/options.h), which this class
// alone writes; directives that are accepted without effect keep their text here.
//
// A change that needs more than a new value (a socket to open, a log level to pass on) is done by
// the part that the directive's row names, in a call given to on_change: it runs under this class's
// lock after the value was set, on the thread of CONFIG SET, and may refuse; then all values of
// that CONFIG SET go back.
//
// Threads: load() and the two on_... before other threads start; the rest from any thread.

struct ConfigStart {
  std::string file;             // empty: none
  bool standard_input = false;  // a lone "-" among the arguments
  std::string lines;            // of the options on the command line, as file lines
};

// What the arguments of main, without the program's name, say about the configuration.
ConfigStart parse_config_arguments(std::span<const std::string> arguments);

struct ConfigPair {
  std::string name;
  std::string value;
};

// A line "rename-command FROM TO". Which commands there are is known elsewhere: `report` is the
// error's text down to the reason, for when that turns out to be wrong.
struct CommandRename {
  std::string from;
  std::string to;
  std::string report;
};

// A line "user NAME RULES...". Which rules there are is known elsewhere; `report` as in
// CommandRename.
struct UserDeclaration {
  std::vector<std::string> words;  // the name and the rules
  std::string report;
};

class Config {
 public:
  using Apply = std::function<Result<void>()>;

  // Both outlive this.
  Config(Options& options, ConfigFiles& files);

  // Reads everything that the start names. The error is the whole text for the standard error
  // stream.
  Result<void> load(const ConfigStart& start);
  // What was accepted but has no effect, a line each, for the log.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // In the order of their lines; each applies to what those before it left.
  const std::vector<CommandRename>& renames() const { return renames_; }
  // No two of one name.
  const std::vector<UserDeclaration>& users() const { return users_; }
  // The file's absolute path, empty without one.
  const std::string& file() const { return file_; }

  // Called once for a CONFIG SET that changed any directive of the part.
  void on_change(Part part, Apply apply);
  // What the lines "user" of the file are to be from now on; asked at each CONFIG REWRITE. Without
  // it they stay.
  void on_rewrite_users(std::function<std::vector<std::string>()> lines) {
    user_lines_ = std::move(lines);
  }

  // Every directive, by name and by alias, that a pattern matches.
  std::vector<ConfigPair> get(std::span<const std::string> patterns);
  // All or nothing. `local`: the client who asks is on this machine (enable-protected-configs). The
  // error is Redis's reply without its minus.
  Result<void> set(std::span<const ConfigPair> pairs, bool local);
  // Writes the values of the moment into the file. The error is the reply.
  enum class Rewrite { kChanged, kAll };  // kAll: defaults, too, that the file does not name
  Result<void> rewrite(Rewrite which = Rewrite::kChanged);

 private:
  struct Planned {
    const Directive* directive;
    std::string_view name;  // as asked for: the row's name or its alias
    std::vector<std::string> words;
    std::vector<std::string> before;
  };

  Result<void> load_text(const std::string& text, int depth);
  Result<void> load_words(std::span<const std::string> words, int depth);
  Result<void> load_known(const FileDirective& known, std::span<const std::string> values);
  Result<void> declare_user(std::span<const std::string> words, std::string report);
  Result<void> include(const std::string& pattern, int depth);
  Result<void> set_words(const Directive& directive, std::span<const std::string> words);
  Result<void> set_accepted(const Directive& directive, std::span<const std::string> words);
  Result<std::vector<Planned>> plan(std::span<const ConfigPair> pairs, bool local);
  Result<void> apply(std::span<const Planned> plan);
  Result<void> tell_parts(std::span<const Planned> plan);
  std::string show(const Directive& directive);
  std::vector<std::string> words_now(const Directive& directive);

  Options& options_;
  ConfigFiles& files_;
  std::mutex lock_;
  std::string file_;
  std::vector<std::string> warnings_;
  std::vector<CommandRename> renames_;
  std::vector<UserDeclaration> users_;
  std::function<std::vector<std::string>()> user_lines_;
  std::set<const Directive*> seen_;  // while a load lasts: directives that a line has already set
  std::map<const Directive*, std::string> accepted_;  // values that are not the defaults
  std::map<const Directive*, std::string> initial_;   // every default, as text
  std::map<Part, Apply> changes_;
};

// CONFIG REWRITE on text: the file's comments, order and unknown lines stay; a directive's lines
// are replaced where they stand, and what has no place yet goes to the end. Pure.

struct RewriteEntry {
  std::string_view name;
  std::string_view alias;  // lines under this name count as the directive's, and get the other name
  std::vector<std::string> lines;  // whole lines, names included
  bool is_default = false;  // then they are written only if the file has the directive already
};

std::string rewrite_config(std::string_view text, std::span<const RewriteEntry> entries);

}  // namespace tandem
