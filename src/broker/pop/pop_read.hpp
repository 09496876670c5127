#pragma once
// The reading half of a pop: which queues it goes through, in which order, and what it takes from each.

#include <cstdint>
#include <map>
#include <vector>

#include "broker/pop/pop.hpp"
#include "broker/pull/message_reader.hpp"

namespace tern::broker {

/// Messages of one queue. While it lives the queue is locked for the group.
struct PopBlock {
  TopicPtr topic;
  store::QueuePtr queue;
  std::int64_t start_offset = 0;
  ReadResult read;
  std::vector<std::int64_t> offsets;  // of the messages
  PopLedger::Id checkpoint = 0;
  bool is_stored = false;
  std::map<std::int64_t, int> attempts = {};  // orderly: how often messages were handed out before
};

/// One pass of a request over its queues. On one thread at a time.
struct PopPass {
  struct Source {
    TopicPtr topic;
    std::int32_t queue_id = 0;
  };
  std::vector<Source> sources;
  std::size_t at = 0;  // the first one that has not been read
  std::vector<PopBlock> blocks;
  int count = 0;
  std::int64_t bytes = 0;
  std::int64_t rest = 0;  // messages that are left, about
  bool is_stuck = false;  // waiting for an arrival is no use: the topic is gone, or a queue cannot be read
  ReadStatus last_status = ReadStatus::kNoMessageInQueue;
};

/// The group has popInflightMessageThreshold messages of the queue and gets no more.
bool has_too_many_open(const Pop& pop, const PopQueueName& name);
/// `chance` decides whether it goes by priority, whether retry topics come first, and at which queue it begins.
PopPass begin_pass(const Pop& pop, const PopRequest& request, std::uint32_t chance);
/// Reads on until the request has what it asks for or nothing is left. False: the disk would have to be waited for, and
/// `no_wait` forbids it; nothing was found so far.
bool read_pass(Pop& pop, const PopRequest& request, PopPass& pass, bool no_wait);

}  // namespace tern::broker
