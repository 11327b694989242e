/**
 * Shapes that the API gives, as far as the console asks for them. No code: only names for JSDoc.
 *
 * @typedef {"READER" | "OPERATOR" | "ADMIN"} Role
 * @typedef {{name: string, role: Role, projects: string[] | null, expiresAt: string | null}} Viewer
 * @typedef {{code: string, message: string, field: string | null}} UserError
 * @typedef {{code: string, message: string, advice: string}} SyncError
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
