/**
 * Shapes that the API gives, as far as the console asks for them. No code: only names for JSDoc.
 *
 * @typedef {"READER" | "OPERATOR" | "ADMIN"} Role
 * @typedef {{name: string, role: Role, projects: string[] | null, expiresAt: string | null}} Viewer
 * @typedef {{code: string, message: string, field: string | null}} UserError
 * @typedef {object} SyncError
 * @property {string} code
 * @property {string} message
 * @property {string} advice
 * @property {string | null} docs where to read on
 * @property {string | null} [since] when the first of the failed runs in a row failed; of a state, not of a run
 * @property {number} [attempts] runs in a row that failed
 * @typedef {{id: string, displayName: string, active: boolean, avatarUrl: string | null}} Person
 *
 * @typedef {object} SyncJob
 * @property {string} id the uid of its project
 * @property {"ACTIVE" | "PAUSED" | "ERROR"} status
 * @property {boolean} running
 * @property {string | null} currentRunId
 * @property {string} cronSchedule
 * @property {string} timezone
 * @property {string | null} lastRunAt
 * @property {string | null} lastEndedAt
 * @property {string | null} lastResult SUCCESS, ERROR or CANCELLED
 * @property {string | null} nextRunAt
 * @property {number} pagesDone
 * @property {number | null} pagesTotal
 * @property {string | null} pausedAt
 * @property {string | null} pausedBy
 * @property {string | null} pauseReason
 * @property {Backoff | null} backoff null while it runs by its cron
 *
 * @typedef {{level: number, code: string, failures: number, seconds: number, since: string, nextRunAt: string | null}} Backoff
 *
 * @typedef {object} SyncState
 * @property {string} entity
 * @property {string} status
 * @property {string} lastSyncTime
 * @property {string | null} watermark
 * @property {number} rows
 * @property {SyncError | null} error
 *
 * @typedef {object} Project
 * @property {string} uid
 * @property {string} key
 * @property {string} name
 * @property {string} site
 * @property {string | null} registeredAt
 * @property {SyncJob | null} syncJob
 * @property {SyncState[]} syncStates
 *
 * @typedef {object} SyncRun
 * @property {string} id
 * @property {string | null} mode
 * @property {string} reason
 * @property {"RUNNING" | "SUCCESS" | "ERROR" | "CANCELLED"} result
 * @property {string | null} startedAt
 * @property {string | null} endedAt
 * @property {number | null} seconds
 * @property {number} pagesDone
 * @property {number | null} pagesTotal
 * @property {number} issues
 * @property {number} comments
 * @property {number} worklogs
 * @property {number} sprints
 * @property {number} users
 * @property {number} appended
 * @property {number} requests
 * @property {string[]} warnings
 * @property {SyncError | null} error
 * @property {any} details
 * @property {string | null} note
 * @property {number | null} attempts
 *
 * @typedef {{id: string, kind: string, actor: string, reason: string | null, summary: string, at: string}} ProjectChange
 * @typedef {{id: string, entity: string, reason: string, at: string, cursor: string}} Absence
 * @typedef {{id: string, change: string, fieldId: string, fieldName: string | null, before: string | null, after: string | null, at: string}} SchemaDrift
 * @typedef {{code: string | null, until: string, by: string, reason: string | null}} Silence code: null of all alerts
 *
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} site
 * @property {string} projectKey
 * @property {string} projectUid
 * @property {string} code
 * @property {string} category
 * @property {string} severity critical, warning or info
 * @property {string} message
 * @property {string} advice
 * @property {string | null} docs
 * @property {"OPEN" | "ACKNOWLEDGED" | "RESOLVED"} status
 * @property {string} firstSeen
 * @property {string} lastSeen
 * @property {number} count runs that showed it
 * @property {string | null} runId
 * @property {string | null} acknowledgedBy
 * @property {string | null} acknowledgedAt
 * @property {string | null} acknowledgement
 * @property {string | null} resolvedAt
 * @property {string | null} resolvedBy who resolved it by hand
 * @property {string | null} resolution
 * @property {string | null} resolutionNote
 * @property {string | null} silencedUntil
 * @property {string} cursor
 *
 * @typedef {object} NoticeFailure
 * @property {string} kind
 * @property {string} code
 * @property {string | null} providerCode
 * @property {string} message
 * @property {string | null} advice
 * @property {number | null} retryAfter
 *
 * @typedef {{at: string, sent: boolean, code: string | null, providerCode: string | null, message: string | null}} Attempt
 *
 * @typedef {object} Notice a Notification of the API; the browser has a Notification of its own
 * @property {string} id
 * @property {string} channel
 * @property {string} reason
 * @property {string} subject
 * @property {string[]} recipients
 * @property {string[]} refused recipients that the provider did not take, each with its words
 * @property {Attempt[]} lastAttempts newest first
 * @property {"REQUESTED" | "RETRYING" | "SENT" | "DEAD"} state
 * @property {number} attempts
 * @property {string} createdAt
 * @property {string | null} lastAttemptAt
 * @property {string | null} nextAttemptAt
 * @property {NoticeFailure | null} failure
 * @property {string | null} providerMessageId
 * @property {string[]} alertIds
 * @property {string} cursor
 *
 * @typedef {object} SyncLog
 * @property {string} id
 * @property {"INFO" | "ERROR" | "DEBUG"} level
 * @property {boolean} warning
 * @property {string} message
 * @property {any} details
 * @property {string | null} entity
 * @property {string | null} runId
 * @property {string} createdAt
 *
 * @typedef {object} ApiToken
 * @property {string} id
 * @property {string} name
 * @property {Role} role
 * @property {string[] | null} projects
 * @property {string} createdAt
 * @property {string} createdBy
 * @property {string | null} expiresAt
 * @property {string | null} lastUsedAt
 * @property {string | null} revokedAt
 * @property {string | null} revokedBy
 *
 * @typedef {{valid: boolean, words: string | null, runs: string[], notes: string[], userErrors: UserError[]}} CronPreview
 */
export {};
