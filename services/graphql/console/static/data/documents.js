/** Every question the console asks: plain documents of the public API, and nothing else. A test holds them against the schema. */

const JOB = `fragment SyncJob on SyncJob {
  id status running currentRunId cronSchedule timezone lastRunAt lastEndedAt lastResult nextRunAt
  pagesDone pagesTotal pausedAt pausedBy pauseReason waitingFor waitingCode waitingUntil
  backoff { level code failures seconds since nextRunAt }
  stretch { seconds since }
}`;

const PROJECT_ROW = `fragment Project on Project {
  uid key jiraKey name site registeredAt quarantined
  syncJob { ...SyncJob }
  syncStates { entity status lastSyncTime watermark rows error { code message advice docs since attempts } }
  census { status everySeconds takenAt provedAt heldBack brake requestedAt error { code message advice at failures } }
  completeness(entity: "issue") { status inJira hereThen }
}
${JOB}`;

const PERSON = `fragment Person on User { id displayName active avatarUrl }`;

const RUN = `fragment SyncRun on SyncRun {
  id mode reason result startedAt endedAt seconds pagesDone pagesTotal
  issues comments worklogs sprints users appended requests
  warnings quarantined quarantine late latestSeconds overlapSeconds error { code message advice docs } details note attempts
}`;

const LOG = `fragment SyncLog on SyncLog { id level warning message details entity runId createdAt }`;

const RECORD = `fragment QuarantinedRecord on QuarantinedRecord { id name field why askedAgain since cursor }`;

const COMPARED = `fragment Compared on Completeness {
  entity status inJira hereThen here provedAt differences { ...Difference }
}
fragment Difference on Difference { cause number ids keys }`;

const TOKEN = `fragment ApiToken on ApiToken {
  id name role projects createdAt createdBy expiresAt lastUsedAt revokedAt revokedBy
}`;

const ALERT = `fragment Alert on Alert {
  id site projectKey projectUid code category severity message advice docs status firstSeen lastSeen count runId
  acknowledgedBy acknowledgedAt acknowledgement resolvedAt resolvedBy resolution resolutionNote silencedUntil cursor
}`;

const NOTIFICATION = `fragment Notification on Notification {
  id channel reason subject recipients refused state attempts lastAttempts { at sent code providerCode message } createdAt lastAttemptAt nextAttemptAt
  failure { kind code providerCode message advice retryAfter } providerMessageId alertIds cursor
}`;

const PREVIEW = `fragment CronPreview on CronPreview { valid words runs notes userErrors { code message field } }`;

const JOB_PAYLOAD = `{ syncJob { ...SyncJob } requestId userErrors { code message field } }`;

const ALERT_PAYLOAD = `{ alert { ...Alert } userErrors { code message field } }`;

const NOTIFICATION_PAYLOAD = `{ notification { ...Notification } userErrors { code message field } }`;

// Questions

export const VIEWER = /** @type {Api.Document<"Viewer">} */ (`query Viewer { viewer { name role projects expiresAt } }`);

export const PROJECTS = /** @type {Api.Document<"Projects">} */ (`query Projects {
  projects { ...Project }
  alerts(status: [OPEN, ACKNOWLEDGED], limit: 200) { ...Alert }
}
${PROJECT_ROW}
${ALERT}`);

export const PROJECT = /** @type {Api.Document<"ProjectPage">} */ (`query ProjectPage($id: ID!) {
  project(projectId: $id) {
    uid
    syncRuns(limit: 50) { ...SyncRun }
    changes(limit: 50) { id kind actor reason summary at }
    trackedUsers { ...Person }
    silences { code until by reason }
  }
  schemaDrifts(projectId: $id, limit: 20) { id change fieldId fieldName before after at }
}
${RUN}
${PERSON}`);

export const COMPLETENESS = /** @type {Api.Document<"Completeness">} */ (`query Completeness($id: ID!) {
  completeness(projectId: $id) { ...Compared }
  census(projectId: $id) {
    gone { reason number } returned fetched requests seconds acceptedBy
  }
}
${COMPARED}`);

export const UPCOMING_RUNS = /** @type {Api.Document<"UpcomingRuns">} */ (`query UpcomingRuns($id: ID!) {
  project(projectId: $id) { uid syncJob { id upcomingRuns(count: 5) } }
}`);

export const ABSENCES = /** @type {Api.Document<"Absences">} */ (`query Absences($id: ID!, $limit: Int!, $after: String) {
  page: absences(projectId: $id, limit: $limit, after: $after) { id entity reason doubtful at key formerKey cursor }
}`);

export const QUARANTINE = /** @type {Api.Document<"Quarantine">} */ (`query Quarantine($id: ID!, $limit: Int!, $after: String) {
  page: quarantine(projectId: $id, limit: $limit, after: $after) { ...QuarantinedRecord }
}
${RECORD}`);

export const RAW_RECORD = /** @type {Api.Document<"RawRecord">} */ (`query RawRecord($id: ID!) {
  quarantinedRecord(id: $id) { raw }
}`);

export const LOGS = /** @type {Api.Document<"Logs">} */ (`query Logs(
  $id: ID!, $limit: Int!, $level: SyncLogLevel, $warning: Boolean, $runId: String, $text: String, $before: ID, $after: ID
) {
  syncLogs(
    projectId: $id, limit: $limit, level: $level, warning: $warning, runId: $runId, text: $text, before: $before, after: $after
  ) { ...SyncLog }
}
${LOG}`);

export const ALERTS = /** @type {Api.Document<"Alerts">} */ (`query Alerts($status: [AlertStatus!], $projectId: ID, $code: String, $limit: Int!, $after: String) {
  page: alerts(status: $status, projectId: $projectId, code: $code, limit: $limit, after: $after) { ...Alert }
}
${ALERT}`);

export const ONE_ALERT = /** @type {Api.Document<"AlertPage">} */ (`query AlertPage($id: ID!) {
  alert(id: $id) { ...Alert notifications { ...Notification } }
}
${ALERT}
${NOTIFICATION}`);

export const NOTIFICATIONS = /** @type {Api.Document<"Notifications">} */ (`query Notifications($state: NotificationState, $projectId: ID, $limit: Int!, $after: String) {
  page: notifications(state: $state, projectId: $projectId, limit: $limit, after: $after) { ...Notification }
}
${NOTIFICATION}`);

export const CRON_PREVIEW = /** @type {Api.Document<"CronPreview">} */ (`query CronPreview($cron: String!, $timezone: String!) {
  cronPreview(cron: $cron, timezone: $timezone) { ...CronPreview }
}
${PREVIEW}`);

export const JIRA_PROJECTS = /** @type {Api.Document<"JiraProjects">} */ (`query JiraProjects($search: String!, $after: String) {
  jiraProjectOptions(search: $search, after: $after) { nodes { id key name registered registeredAs } endCursor hasNextPage }
}`);

export const JIRA_USERS = /** @type {Api.Document<"JiraUsers">} */ (`query JiraUsers($id: ID!, $search: String!, $after: String) {
  jiraProjectUserOptions(projectId: $id, search: $search, after: $after) {
    nodes { ...Person } endCursor hasNextPage
  }
}
${PERSON}`);

export const KNOWN_USERS = /** @type {Api.Document<"KnownUsers">} */ (`query KnownUsers($id: ID!) { users(projectId: $id) { ...Person } }
${PERSON}`);

export const TOKENS = /** @type {Api.Document<"Tokens">} */ (`query Tokens { apiTokens { ...ApiToken } }
${TOKEN}`);

// Commands

export const START = /** @type {Api.Document<"Start">} */ (`mutation Start($id: ID!, $full: Boolean, $reason: String, $key: String) {
  result: startProjectSync(projectId: $id, full: $full, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const PAUSE = /** @type {Api.Document<"Pause">} */ (`mutation Pause($id: ID!, $reason: String, $key: String) {
  result: pauseProjectSync(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const RESUME = /** @type {Api.Document<"Resume">} */ (`mutation Resume($id: ID!, $reason: String, $key: String) {
  result: resumeProjectSync(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const TRIGGER = /** @type {Api.Document<"Trigger">} */ (`mutation Trigger($id: ID!, $full: Boolean, $accountIds: [String!], $reason: String, $key: String) {
  result: triggerProjectSync(
    projectId: $id, full: $full, accountIds: $accountIds, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`);

export const PROVE = /** @type {Api.Document<"Prove">} */ (`mutation Prove($id: ID!, $accept: Boolean, $reason: String, $key: String) {
  result: proveProject(projectId: $id, accept: $accept, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const RESCHEDULE = /** @type {Api.Document<"Reschedule">} */ (`mutation Reschedule($id: ID!, $cron: String!, $timezone: String, $reason: String, $key: String) {
  result: rescheduleProjectSync(
    projectId: $id, cron: $cron, timezone: $timezone, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`);

export const REGISTER = /** @type {Api.Document<"Register">} */ (`mutation Register($jiraKey: String!, $cron: String, $timezone: String, $reason: String, $key: String) {
  result: registerProject(
    key: $jiraKey, cron: $cron, timezone: $timezone, reason: $reason, idempotencyKey: $key
  ) ${JOB_PAYLOAD}
}
${JOB}`);

export const UNREGISTER = /** @type {Api.Document<"Unregister">} */ (`mutation Unregister($id: ID!, $reason: String, $key: String) {
  result: unregisterProject(projectId: $id, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const SET_TRACKED_USERS = /** @type {Api.Document<"SetTrackedUsers">} */ (`mutation SetTrackedUsers($id: ID!, $accountIds: [String!]!, $reason: String, $key: String) {
  result: setTrackedUsers(projectId: $id, accountIds: $accountIds, reason: $reason, idempotencyKey: $key) ${JOB_PAYLOAD}
}
${JOB}`);

export const CREATE_TOKEN = /** @type {Api.Document<"CreateToken">} */ (`mutation CreateToken($name: String!, $role: Role!, $projects: [ID!], $expiresAt: DateTime) {
  result: createApiToken(name: $name, role: $role, projects: $projects, expiresAt: $expiresAt) {
    token { ...ApiToken } secret userErrors { code message field }
  }
}
${TOKEN}`);

export const REVOKE_TOKEN = /** @type {Api.Document<"RevokeToken">} */ (`mutation RevokeToken($id: ID!) {
  result: revokeApiToken(id: $id) { token { ...ApiToken } userErrors { code message field } }
}
${TOKEN}`);

export const CLOSINGS = /** @type {Api.Document<"Closings">} */ (`query Closings {
  jiraClosings { endpoint until probeDue code message advice }
}`);

export const WEBHOOKS = /** @type {Api.Document<"Webhooks">} */ (`query Webhooks {
  webhooks { ...Webhooks }
}
fragment Webhooks on Webhooks {
  taken site lastAt lastEvent lastSigned waiting waitingSince refused lastRefusal lastRefusedAt silentSince
}`);

export const LATENESS = /** @type {Api.Document<"Lateness">} */ (`query Lateness {
  searchLateness { ...SearchLateness }
}
fragment SearchLateness on SearchLateness { number latestSeconds overlapSeconds buckets { ...LateChanges } }
fragment LateChanges on LateChanges { upToSeconds number }`);

export const OPEN_GATE = /** @type {Api.Document<"OpenGate">} */ (`mutation OpenGate($endpoint: String) {
  result: openJiraGate(endpoint: $endpoint) { closings { endpoint until probeDue code message advice } userErrors { code message field } }
}`);

export const ACKNOWLEDGE = /** @type {Api.Document<"Acknowledge">} */ (`mutation Acknowledge($id: ID!, $reason: String, $key: String) {
  result: acknowledgeAlert(id: $id, reason: $reason, idempotencyKey: $key) ${ALERT_PAYLOAD}
}
${ALERT}`);

export const RESOLVE = /** @type {Api.Document<"Resolve">} */ (`mutation Resolve($id: ID!, $reason: String, $key: String) {
  result: resolveAlert(id: $id, reason: $reason, idempotencyKey: $key) ${ALERT_PAYLOAD}
}
${ALERT}`);

export const SILENCE = /** @type {Api.Document<"Silence">} */ (`mutation Silence($id: ID!, $code: String, $minutes: Int!, $reason: String, $key: String) {
  result: silenceAlerts(
    projectId: $id, code: $code, minutes: $minutes, reason: $reason, idempotencyKey: $key
  ) { userErrors { code message field } }
}`);

export const SEND_TEST = /** @type {Api.Document<"SendTest">} */ (`mutation SendTest($channel: NotificationChannel!, $to: [String!], $key: String) {
  result: sendTestNotification(channel: $channel, to: $to, idempotencyKey: $key) ${NOTIFICATION_PAYLOAD}
}
${NOTIFICATION}`);

export const REDRIVE = /** @type {Api.Document<"Redrive">} */ (`mutation Redrive($id: ID!, $key: String) {
  result: redriveNotification(id: $id, idempotencyKey: $key) ${NOTIFICATION_PAYLOAD}
}
${NOTIFICATION}`);

// Live

export const CONSOLE_EVENTS = /** @type {Api.Document<"ConsoleEvents">} */ (`subscription ConsoleEvents {
  consoleEvents { position removed projects { ...Project } alerts { ...Alert } }
}
${PROJECT_ROW}
${ALERT}`);

export const LOG_ADDED = /** @type {Api.Document<"LogAdded">} */ (`subscription LogAdded($id: ID!, $after: ID) {
  syncLogAdded(projectId: $id, after: $after) { id }
}`);
