/* SPDX-License-Identifier: MIT */
/*
 * answer.h - from a request to its answer.
 */
#ifndef HTTPD_ANSWER_H
#define HTTPD_ANSWER_H

#include "reply.h"

/*
 * Answer a request's head, as http_head_bytes measured it, into an empty reply.  reply->close says
 * whether the connection ends after it.
 */
void answer_head(struct site *site, const char *head, size_t bytes, struct reply *reply);

/* Answer what is no request: a status of its own and an end. */
void answer_status(unsigned status, struct reply *reply);

#endif
