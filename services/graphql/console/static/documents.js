/** Every question the console asks: plain documents of the public API, and nothing else. A test holds them against the schema. */

const JOB = `fragment Job on SyncJob {
  id status running currentRunId cronSchedule timezone lastRunAt lastEndedAt lastResult nextRunAt
  pagesDone pagesTotal pausedAt pausedBy pauseReason
  backoff { level code failures seconds since nextRunAt }
}`;

const PROJECT_ROW = `fragment ProjectRow on Project {
  uid key name site registeredAt
  syncJob { ...Job }
  syncStates { entity status lastSyncTime watermark rows error { code message advice docs since attempts } }
}
${JOB}`;

const PERSON = `fragment Person on User { id displayName active avatarUrl }`;

const RUN = `fragment Run on SyncRun {
  id mode reason result startedAt endedAt seconds pagesDone pagesTotal
  issues comments worklogs sprints users appended requests
  warnings error { code message advice docs } details note attempts
}`;

const LOG = `fragment Log on SyncLog { id level warning message details entity runId createdAt }`;

const TOKEN = `fragment Token on ApiToken {
  id name role projects createdAt createdBy expiresAt lastUsedAt revokedAt revokedBy
}`;

const ALERT = `fragment AlertRow on Alert {
  id site projectKey projectUid code category severity message advice docs status firstSeen lastSeen count runId
  acknowledgedBy acknowledgedAt acknowledgement resolvedAt resolvedBy resolution resolutionNote silencedUntil cursor
}`;

const NOTICE = `fragment Notice on Notification {
  id channel reason subject recipients refused state attempts lastAttempts { at sent code providerCode message } createdAt lastAttemptAt nextAttemptAt
  failure { kind code providerCode message advice retryAfter } providerMessageId alertIds cursor
}`;

const PREVIEW = `fragment Preview on CronPreview { valid words runs notes userErrors { code message field } }`;

const JOB_PAYLOAD = `{ syncJob { ...Job } requestId userErrors { code message field } }`;

const ALERT_PAYLOAD = `{ alert { ...AlertRow } userErrors { code message field } }`;

const NOTICE_PAYLOAD = `{ notification { ...Notice } userErrors { code message field } }`;

// Questions

export const VIEWER = `query Viewer { viewer { name role projects expiresAt } }`;

export const PROJECTS = `query Projects {
  projects { ...ProjectRow }
  alerts(status: [OPEN, ACKNOWLEDGED], limit: 200) { ...AlertRow }
}
${PROJECT_ROW}
${ALERT}`;

export const PROJECT = `query ProjectPage($id: ID!) {
  project(projectId: $id) {
    uid
    syncRuns(limit: 50) { ...Run }
    changes(limit: 50) { id kind actor reason summary at }
    trackedUsers { ...Person }
    silences { code until by reason }
  }
  schemaDrifts(projectId: $id, limit: 20) { id change fieldId fieldName before after at }
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

export const ALERTS = `query Alerts($status: [AlertStatus!], $projectId: ID, $code: String, $limit: Int!, $after: String) {
  page: alerts(status: $status, projectId: $projectId, code: $code, limit: $limit, after: $after) { ...AlertRow }
}
${ALERT}`;

export const ONE_ALERT = `query AlertPage($id: ID!) {
  alert(id: $id) { ...AlertRow notifications { ...Notice } }
}
${ALERT}
${NOTICE}`;

export const NOTIFICATIONS = `query Notifications($state: NotificationState, $projectId: ID, $limit: Int!, $after: String) {
  page: notifications(state: $state, projectId: $projectId, limit: $limit, after: $after) { ...Notice }
}
${NOTICE}`;

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

export const ACKNOWLEDGE = `mutation Acknowledge($id: ID!, $reason: String, $key: String) {
  result: acknowledgeAlert(id: $id, reason: $reason, idempotencyKey: $key) ${ALERT_PAYLOAD}
}
${ALERT}`;

export const RESOLVE = `mutation Resolve($id: ID!, $reason: String, $key: String) {
  result: resolveAlert(id: $id, reason: $reason, idempotencyKey: $key) ${ALERT_PAYLOAD}
}
${ALERT}`;

export const SILENCE = `mutation Silence($id: ID!, $code: String, $minutes: Int!, $reason: String, $key: String) {
  result: silenceAlerts(
    projectId: $id, code: $code, minutes: $minutes, reason: $reason, idempotencyKey: $key
  ) { userErrors { code message field } }
}`;

export const SEND_TEST = `mutation SendTest($channel: NotificationChannel!, $to: [String!], $key: String) {
  result: sendTestNotification(channel: $channel, to: $to, idempotencyKey: $key) ${NOTICE_PAYLOAD}
}
${NOTICE}`;

export const REDRIVE = `mutation Redrive($id: ID!, $key: String) {
  result: redriveNotification(id: $id, idempotencyKey: $key) ${NOTICE_PAYLOAD}
}
${NOTICE}`;

// Live

export const CONSOLE_EVENTS = `subscription ConsoleEvents {
  consoleEvents { position removed projects { ...ProjectRow } alerts { ...AlertRow } }
}
${PROJECT_ROW}
${ALERT}`;

export const LOG_ADDED = `subscription LogAdded($id: ID!, $after: ID) {
  syncLogAdded(projectId: $id, after: $after) { id }
}`;
