#include "tern/remoting/server.hpp"

namespace tern::remoting {

std::span<const OptionRow<NetworkOptions>> network_option_rows() {
  constexpr std::int64_t kMiB = 1024 * 1024;
  static const OptionRow<NetworkOptions> rows[] = {
      {"ioThreads", &NetworkOptions::io_threads, "0", range(0, 256),
       "Threads that serve connections. 0: half the processor's cores, at least one."},
      {"frameSizeMax", &NetworkOptions::frame_size_max, "16777216", range(4096, 1024 * kMiB),
       "Largest frame in bytes, its length field included; a connection that announces a larger one is closed."},
      {"networkReceivingBytesMax", &NetworkOptions::receiving_bytes_max, "268435456", range(kMiB, 1024 * 1024 * kMiB),
       "Bytes of frames that have begun to arrive, all connections together. Near it, connections with the largest "
       "such "
       "frames are not read; above it they are dropped."},
      {"networkUnsentBytesMax", &NetworkOptions::unsent_bytes_max, "268435456", range(kMiB, 1024 * 1024 * kMiB),
       "Bytes of answers not yet sent, all connections together. Near it, the connections with the most are not read; "
       "above it they are dropped."},
      {"networkConnectionsMax", &NetworkOptions::connections_max, "20000", range(1, 10'000'000),
       "Open connections; more are closed as they come. Seven eighths of the process's descriptors (ulimit -n) if that "
       "is "
       "less."},
      {"serverChannelMaxIdleTimeSeconds", &NetworkOptions::idle_seconds_max, "120", range(0, 1'000'000),
       "Seconds without a byte in either direction after which a connection is closed. 0: never."},
      {"serverSocketSndBufSize", &NetworkOptions::socket_send_buffer, "0", range(0, 1024 * kMiB),
       "Send buffer of a socket in bytes. 0: the kernel sizes it."},
      {"serverSocketRcvBufSize", &NetworkOptions::socket_receive_buffer, "0", range(0, 1024 * kMiB),
       "Receive buffer of a socket in bytes. 0: the kernel sizes it."},
      {"serverSocketBacklog", &NetworkOptions::backlog, "1024", range(1, 65'535),
       "Connections that may wait to be accepted."},
  };
  return rows;
}

}  // namespace tern::remoting
