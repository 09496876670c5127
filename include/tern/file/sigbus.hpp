#pragma once
// A fault in a mapped window (the disk failed under it, or somebody cut the file short) ends the process, as it must:
// the store that faulted cannot be taken back. This makes it end with the file and the position in its last words.

namespace tern::file {

/// Installs a SIGBUS handler that writes "SIGBUS in <file> at <position>" to standard error, with async-signal-safe
/// calls only, and then lets the signal's default action (a core dump) end the process. Knows the windows of the real
/// disk that are live at that moment, up to a fixed number (see live_windows.hpp). Call once, from main.
void name_sigbus();

}  // namespace tern::file
