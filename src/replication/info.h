// Replication as INFO and ROLE show it, with Redis's field names. Any thread.
#pragma once

#include <string>

#include "replication/control.h"
#include "resp/reply_writer.h"

namespace tandem {

// The lines of INFO's section, without its title.
std::string replication_info(const ReplicationControl& control);

// ROLE's reply.
void write_role(const ReplicationControl& control, ReplyWriter& reply);

}  // namespace tandem
