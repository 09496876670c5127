#pragma once
#include <span>

#include "tern/base/options.hpp"

namespace tern::nameserver {

/// Every key that Apache's nameserver reads, with its default there, so that an existing file works unchanged. The
/// table is complete on purpose: OptionSet::add_foreign leaves out the keys that have a row here, so a setting that we
/// begin to use needs no change to it. For the same reason a key's mark ("this value promises ...") speaks only while
/// no row does. The controller's keys are among them, because Apache can run a controller inside its nameserver.
///
/// Marked is a value if ignoring it in silence could cost an operator data, security or availability.
std::span<const ForeignKey> apache_nameserver_keys();

}  // namespace tern::nameserver
