#pragma once
#include "tern/remoting/request.hpp"

#include "broker/transaction/transactions.hpp"

namespace tern::broker {

void end_transaction(const remoting::Request& request, remoting::Reply reply, SendStage& stage,
                     Transactions& transactions);
void resume_check(const remoting::Request& request, remoting::Reply reply, Transactions& transactions);

}  // namespace tern::broker
