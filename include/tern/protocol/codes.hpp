#pragma once
// Request and response codes of the remoting protocol. Source: docs/format/remoting.md. Only codes that some code of
// ours names stand here; anything else is an int that no row answers.

#include <cstdint>

namespace tern::protocol {

enum class RequestCode : std::int32_t {
  kSendMessage = 10,
  kPullMessage = 11,
  kQueryMessage = 12,
  kQueryConsumerOffset = 14,
  kUpdateConsumerOffset = 15,
  kUpdateAndCreateTopic = 17,
  kGetAllTopicConfig = 21,
  kUpdateBrokerConfig = 25,
  kGetBrokerConfig = 26,
  kGetBrokerRuntimeInfo = 28,
  kSearchOffsetByTimestamp = 29,
  kGetMaxOffset = 30,
  kGetMinOffset = 31,
  kGetEarliestMessageStoreTime = 32,
  kViewMessageById = 33,
  kHeartBeat = 34,
  kUnregisterClient = 35,
  kConsumerSendMessageBack = 36,
  kEndTransaction = 37,
  kGetConsumerListByGroup = 38,
  kCheckTransactionState = 39,
  kNotifyConsumerIdsChanged = 40,
  kLockBatchMq = 41,
  kUnlockBatchMq = 42,
  kGetAllConsumerOffset = 43,
  kGetAllDelayOffset = 45,
  kCheckClientConfig = 46,
  kPutKvConfig = 100,
  kGetKvConfig = 101,
  kDeleteKvConfig = 102,
  kRegisterBroker = 103,
  kUnregisterBroker = 104,
  kGetRouteInfoByTopic = 105,
  kGetBrokerClusterInfo = 106,
  kUpdateAndCreateSubscriptionGroup = 200,
  kGetAllSubscriptionGroupConfig = 201,
  kGetTopicStatsInfo = 202,
  kGetConsumerConnectionList = 203,
  kGetProducerConnectionList = 204,
  kWipeWritePermOfBroker = 205,
  kGetAllTopicListFromNameserver = 206,
  kDeleteSubscriptionGroup = 207,
  kGetConsumeStats = 208,
  kDeleteTopicInBroker = 215,
  kDeleteTopicInNameserver = 216,
  kRegisterTopicInNameserver = 217,
  kGetKvListByNamespace = 219,
  kResetConsumerClientOffset = 220,
  kGetConsumerStatusFromClient = 221,
  kInvokeBrokerToResetOffset = 222,
  kGetTopicsByCluster = 224,
  kUpdateAndCreateSubscriptionGroupList = 225,
  kQueryTopicConsumeByWho = 300,
  kQueryConsumeTimeSpan = 303,
  kGetSystemTopicListFromNameserver = 304,
  kGetSystemTopicListFromBroker = 305,
  kGetConsumerRunningInfo = 307,
  kConsumeMessageDirectly = 309,
  kSendMessageV2 = 310,
  kGetUnitTopicList = 311,
  kGetHasUnitSubTopicList = 312,
  kGetHasUnitSubUnunitTopicList = 313,
  kViewBrokerStatsData = 315,
  kUpdateNameserverConfig = 318,
  kGetNameserverConfig = 319,
  kSendBatchMessage = 320,
  kQueryDataVersion = 322,
  kAddWritePermOfBroker = 327,
  kGetAllProducerInfo = 328,
  kQueryTopicsByConsumer = 343,
  kQuerySubscriptionByConsumer = 345,
  kGetTopicConfig = 351,
  kGetSubscriptionGroupConfig = 352,
  kLitePullMessage = 361,
  kGetBrokerMemberGroup = 901,
  kBrokerHeartbeat = 904,
  kNotifyMinBrokerIdChange = 905,
};

enum class ResponseCode : std::int32_t {
  kSuccess = 0,
  kSystemError = 1,
  kSystemBusy = 2,
  kRequestCodeNotSupported = 3,
  kFlushDiskTimeout = 10,
  kSlaveNotAvailable = 11,
  kFlushSlaveTimeout = 12,
  kMessageIllegal = 13,
  kServiceNotAvailable = 14,
  kNoPermission = 16,
  kTopicNotExist = 17,
  kPullNotFound = 19,
  kPullRetryImmediately = 20,
  kPullOffsetMoved = 21,
  kQueryNotFound = 22,
  kSubscriptionParseFailed = 23,
  kSubscriptionNotExist = 24,
  kSubscriptionNotLatest = 25,
  kSubscriptionGroupNotExist = 26,
  kFilterDataNotExist = 27,
  kFilterDataNotLatest = 28,
  kInvalidParameter = 29,
  kConsumerNotOnline = 206,
  kConsumeMessageTimeout = 207,
  kBroadcastConsumption = 213,
  kIllegalOperation = 604,
};

/// Flag bits of a command header.
inline constexpr std::int32_t kFlagResponse = 1;
inline constexpr std::int32_t kFlagOneWay = 2;

/// What this server says of itself (docs/format/remoting.md, "versions"): V5_3_3, until everything that 5.5.0 changed
/// holds.
inline constexpr std::int32_t kProtocolVersion = 479;
/// Largest frame, the four bytes of its length field included.
inline constexpr std::int64_t kFrameSizeMax = 16'777'216;

}  // namespace tern::protocol
