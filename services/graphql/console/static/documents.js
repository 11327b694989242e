/** Every question the console asks: plain documents of the public API, and nothing else. A test holds them against the schema. */

const JOB = `fragment Job on SyncJob {
  id status running currentRunId cronSchedule timezone lastRunAt lastEndedAt lastResult nextRunAt
  pagesDone pagesTotal pausedAt pausedBy pauseReason
}`;

const PROJECT_ROW = `fragment ProjectRow on Project {
  uid key name site registeredAt
  syncJob { ...Job }
  syncStates { entity status lastSyncTime watermark rows error { code message advice } }
}
${JOB}`;

const PERSON = `fragment Person on User { id displayName active avatarUrl }`;

const RUN = `fragment Run on SyncRun {
  id mode reason result startedAt endedAt seconds pagesDone pagesTotal
  issues comments worklogs sprints users appended requests
  warnings error { code message advice } details note attempts
}`;

const LOG = `fragment Log on SyncLog { id level warning message details entity runId createdAt }`;

const TOKEN = `fragment Token on ApiToken {
  id name role projects createdAt createdBy expiresAt lastUsedAt revokedAt revokedBy
}`;

const PREVIEW = `fragment Preview on CronPreview { valid words runs notes userErrors { code message field } }`;

const JOB_PAYLOAD = `{ syncJob { ...Job } requestId userErrors { code message field } }`;

// Questions

export const VIEWER = `query Viewer { viewer { name role projects expiresAt } }`;

export const PROJECTS = `query Projects { projects { ...ProjectRow } }
${PROJECT_ROW}`;

export const PROJECT = `query ProjectPage($id: ID!) {
  project(projectId: $id) {
    uid
    syncRuns(limit: 50) { ...Run }
    changes(limit: 50) { id kind actor reason summary at }
    trackedUsers { ...Person }
  }
}
${RUN}
${PERSON}`;

export const UPCOMING_RUNS = `query UpcomingRuns($id: ID!) {
  project(projectId: $id) { uid syncJob { id upcomingRuns(count: 5) } }
}`;

export const ABSENCES = `query Absences($id: ID!, $after: String) {
  absences(projectId: $id, limit: 100, after: $after) { id entity reason at cursor }
}`;

export const LOGS = `query Logs(
  $id: ID!, $limit: Int!, $level: SyncLogLevel, $warning: Boolean, $runId: String, $text: String, $before: ID, $after: ID
) {
  syncLogs(
    projectId: $id, limit: $limit, level: $level, warning: $warning, runId: $runId, text: $text, before: $before, after: $after
  ) { ...Log }
}
${LOG}`;

export const CRON_PREVIEW = `query CronPreview($cron: String!, $timezone: String!) {
  cronPreview(cron: $cron, timezone: $timezone) { ...Preview }
}
${PREVIEW}`;

export const JIRA_PROJECTS = `query JiraProjects($search: String!, $after: String) {
  jiraProjectOptions(search: $search, after: $after) { nodes { id key name registered } endCursor hasNextPage }
}`;

export const JIRA_USERS = `query JiraUsers($id: ID!, $search: String!, $after: String) {
  jiraProjectUserOptions(projectId: $id, search: $search, after: $after) {
    nodes { ...Person } endCursor hasNextPage
  }
}
${PERSON}`;

export const KNOWN_USERS = `query KnownUsers($id: ID!) { users(projectId: $id) { ...Person } }
${PERSON}`;

export const TOKENS = `query Tokens { apiTokens { ...Token } }
${TOKEN}`;

// Commands

export const START = `mutation Start($id: ID!, $full: Boolean, $reason: String, $key: String) {
  result: startProjectSync(projectId: $id, full: $full, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`;

export const PAUSE = `mutation Pause($id: ID!, $reason: String, $key: String) {
  result: pauseProjectSync(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`;

export const RESUME = `mutation Resume($id: ID!, $reason: String, $key: String) {
  result: resumeProjectSync(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`;

export const TRIGGER = `mutation Trigger($id: ID!, $full: Boolean, $accountIds: [String!], $reason: String, $key: String) {
  result: triggerProjectSync(
    projectId: $id, full: $full, accountIds: $accountIds, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`;

export const RESCHEDULE = `mutation Reschedule($id: ID!, $cron: String!, $timezone: String, $reason: String, $key: String) {
  result: rescheduleProjectSync(
    projectId: $id, cron: $cron, timezone: $timezone, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`;

export const REGISTER = `mutation Register($jiraKey: String!, $cron: String, $timezone: String, $reason: String, $key: String) {
  result: registerProject(
    key: $jiraKey, cron: $cron, timezone: $timezone, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`;

export const UNREGISTER = `mutation Unregister($id: ID!, $reason: String, $key: String) {
  result: unregisterProject(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`;

export const SET_TRACKED_USERS = `mutation SetTrackedUsers($id: ID!, $accountIds: [String!]!, $reason: String, $key: String) {
  result: setTrackedUsers(projectId: $id, accountIds: $accountIds, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`;

export const CREATE_TOKEN = `mutation CreateToken($name: String!, $role: Role!, $projects: [ID!], $expiresAt: DateTime) {
  result: createApiToken(name: $name, role: $role, projects: $projects, expiresAt: $expiresAt) {
    token { ...Token } secret userErrors { code message field }
  }
}
${TOKEN}`;

export const REVOKE_TOKEN = `mutation RevokeToken($id: ID!) {
  result: revokeApiToken(id: $id) { token { ...Token } userErrors { code message field } }
}
${TOKEN}`;

// Live

export const CONSOLE_EVENTS = `subscription ConsoleEvents {
  consoleEvents { position removed projects { ...ProjectRow } }
}
${PROJECT_ROW}`;

export const LOG_ADDED = `subscription LogAdded($id: ID!, $after: ID) {
  syncLogAdded(projectId: $id, after: $after) { id }
}`;
