#include "script/function_library.h"

#include <gtest/gtest.h>

namespace tandem {
namespace {

LibrarySet::Library library(std::string name, std::vector<std::string> functions) {
  FunctionLibrary made{.name = name, .code = std::make_shared<const std::string>(name + "'s text")};
  for (std::string& function : functions) made.functions.push_back({.name = std::move(function)});
  return std::make_shared<const FunctionLibrary>(std::move(made));
}

std::string error_of(const Result<void>& result) { return result ? "" : result.error().text; }

std::string names_in(const LibrarySet& set) {
  std::string names;
  for (const auto& [name, of_name] : set.libraries()) names += name + " ";
  return names;
}

TEST(LibrarySet, FindsFunctionsInAnyCaseAndLibrariesInTheirs) {
  LibrarySet set(1000);
  EXPECT_EQ(error_of(set.add(library("a", {"one", "Two"}))), "");
  EXPECT_EQ(error_of(set.add(library("A", {"three"}))), "");
  EXPECT_EQ(set.find_function("TWO")->name, "Two");
  EXPECT_EQ(set.find_function("four"), nullptr);
  EXPECT_EQ(set.find("a")->functions.size(), 2U);
  EXPECT_EQ(set.find("b"), nullptr);
  EXPECT_EQ(set.function_count(), 3);
  EXPECT_EQ(set.code_bytes(), 16U);
}

TEST(LibrarySet, TwoLibrariesHaveNoFunctionInCommon) {
  LibrarySet set(1000);
  EXPECT_EQ(error_of(set.add(library("a", {"one"}))), "");
  EXPECT_EQ(error_of(set.add(library("b", {"two", "ONE"}))), "Function ONE already exists");
  EXPECT_EQ(names_in(set), "a ");
  EXPECT_EQ(set.find_function("two"), nullptr);
  set.remove("a");
  EXPECT_EQ(error_of(set.add(library("b", {"two", "ONE"}))), "");
  EXPECT_EQ(set.function_count(), 2);
}

TEST(LibrarySet, OneLibraryMayHaveBothCases) {
  LibrarySet set(1000);
  EXPECT_EQ(error_of(set.add(library("a", {"F", "f"}))), "");
  EXPECT_EQ(set.find_function("f")->name, "F");
  set.remove("a");
  EXPECT_EQ(set.find_function("f"), nullptr);
  EXPECT_EQ(set.function_count(), 0);
}

TEST(LibrarySet, JoinsAnother) {
  LibrarySet set(1000);
  EXPECT_EQ(error_of(set.add(library("a", {"one"}))), "");
  LibrarySet more(1000);
  EXPECT_EQ(error_of(more.add(library("a", {"two"}))), "");
  EXPECT_EQ(error_of(more.add(library("b", {"ONE"}))), "");
  LibrarySet appended = set;
  EXPECT_EQ(error_of(appended.join(more, false)), "Library a already exists");
  // The replaced one makes room for another's function.
  LibrarySet replaced = set;
  EXPECT_EQ(error_of(replaced.join(more, true)), "");
  EXPECT_EQ(names_in(replaced), "a b ");
  EXPECT_EQ(replaced.find_function("one")->name, "ONE");
  EXPECT_EQ(set.find_function("one")->name, "one");
  LibrarySet third(1000);
  EXPECT_EQ(error_of(third.add(library("c", {"two"}))), "");
  EXPECT_EQ(error_of(replaced.join(third, true)), "Function two already exists");
}

TEST(LibrarySet, HasALimit) {
  LibrarySet set(17);
  EXPECT_EQ(error_of(set.add(library("a", {"one"}))), "");
  EXPECT_EQ(error_of(set.add(library("b", {"two"}))), "");
  EXPECT_EQ(error_of(set.add(library("c", {"three"}))), "not enough memory");
  set.remove("a");
  EXPECT_EQ(error_of(set.add(library("c", {"three"}))), "");
}

}  // namespace
}  // namespace tandem
