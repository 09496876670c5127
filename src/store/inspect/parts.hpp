#pragma once
#include "store/inspect/store_files.hpp"
#include "store/inspect/verification.hpp"

namespace tern::store {

/// What an inspector has found when it was opened.
struct Inspector::Parts {
  file::Disk& disk;
  InspectOptions options;  // completed
  StoreFacts facts;
  StoreFiles files;
};

}  // namespace tern::store
