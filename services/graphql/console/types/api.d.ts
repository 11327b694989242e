// What the console knows of the API: `make console-types`, of schema.graphql and documents.js.

declare namespace Api {
  /** The text of an operation; the type check knows what it takes and what it gives. */
  type Document<Name extends keyof Operations> = string & { readonly operation: Name };

  type Mutation = "Acknowledge" | "CreateToken" | "OpenGate" | "Pause" | "Prove" | "Redrive" | "Register" | "Reschedule" | "Resolve" | "Resume" | "RevokeToken" | "SendTest" | "SetTrackedUsers" | "Silence" | "Start" | "Trigger" | "Unregister";

  type AlertStatus = "OPEN" | "ACKNOWLEDGED" | "RESOLVED";
  type CompletenessStatus = "NEVER_SYNCED" | "NEVER_PROVED" | "PROVED" | "DIFFERENT" | "UNEXPLAINED" | "HELD_BACK" | "FAILED" | "STALE";
  type DifferenceCause = "LATE" | "OWED" | "QUARANTINED" | "RESTRICTED" | "HELD_BACK" | "UNEXPLAINED";
  type NotificationChannel = "EMAIL" | "SLACK" | "WHATSAPP";
  type NotificationState = "REQUESTED" | "SENT" | "RETRYING" | "DEAD";
  type ProjectChangeKind = "REGISTERED" | "UNREGISTERED" | "WATCH_LIST" | "SCHEDULE" | "PAUSED" | "RESUMED" | "SYNC_REQUESTED" | "CENSUS_REQUESTED" | "BACKOFF" | "STRETCHED" | "STRETCH_ENDED" | "BACKOFF_ENDED" | "ALERT_ACKNOWLEDGED" | "ALERT_RESOLVED" | "ALERTS_SILENCED" | "ALERTS_UNSILENCED";
  type Role = "READER" | "OPERATOR" | "ADMIN";
  type SyncJobStatus = "ACTIVE" | "PAUSED" | "ERROR";
  type SyncLogLevel = "INFO" | "ERROR" | "DEBUG";
  type SyncRunResult = "RUNNING" | "SUCCESS" | "ERROR" | "CANCELLED";

  type Absence = {
    id: string;
    entity: string;
    reason: string;
    doubtful: boolean;
    at: string;
    key: string | null;
    formerKey: string | null;
    cursor: string;
  };

  type Alert = {
    id: string;
    site: string;
    projectKey: string;
    projectUid: string;
    code: string;
    category: string;
    severity: string;
    message: string;
    advice: string;
    docs: string | null;
    status: AlertStatus;
    firstSeen: string;
    lastSeen: string;
    count: number;
    runId: string | null;
    acknowledgedBy: string | null;
    acknowledgedAt: string | null;
    acknowledgement: string | null;
    resolvedAt: string | null;
    resolvedBy: string | null;
    resolution: string | null;
    resolutionNote: string | null;
    silencedUntil: string | null;
    cursor: string;
  };

  type AlertPayload = {
    alert: Alert | null;
    userErrors: UserError[];
  };

  type ApiToken = {
    id: string;
    name: string;
    role: Role;
    projects: string[] | null;
    createdAt: string;
    createdBy: string;
    expiresAt: string | null;
    lastUsedAt: string | null;
    revokedAt: string | null;
    revokedBy: string | null;
  };

  type Backoff = {
    level: number;
    code: string;
    failures: number;
    seconds: number;
    since: string | null;
    nextRunAt: string | null;
  };

  type CensusError = {
    code: string;
    message: string;
    advice: string;
    at: string;
    failures: number;
  };

  type Compared = {
    entity: string;
    status: CompletenessStatus;
    inJira: number | null;
    hereThen: number | null;
    here: number;
    provedAt: string | null;
    differences: Difference[];
  };

  type Completeness = {
    status: CompletenessStatus;
    inJira: number | null;
    hereThen: number | null;
  };

  type ConsoleEvent = {
    position: string;
    removed: string[];
    projects: Project[];
    alerts: Alert[];
  };

  type CreateApiTokenPayload = {
    token: ApiToken | null;
    secret: string | null;
    userErrors: UserError[];
  };

  type CronPreview = {
    valid: boolean;
    words: string | null;
    runs: string[];
    notes: string[];
    userErrors: UserError[];
  };

  type Difference = {
    cause: DifferenceCause;
    number: number;
    ids: string[];
    keys: string[];
  };

  type GoneNumber = {
    reason: string;
    number: number;
  };

  type JiraClosing = {
    endpoint: string | null;
    until: string | null;
    probeDue: boolean;
    code: string;
    message: string;
    advice: string;
  };

  type JiraProjectOption = {
    id: string;
    key: string;
    name: string;
    registered: boolean;
    registeredAs: string | null;
  };

  type JiraProjectOptions = {
    nodes: JiraProjectOption[];
    endCursor: string | null;
    hasNextPage: boolean;
  };

  type JiraUserOptions = {
    nodes: Person[];
    endCursor: string | null;
    hasNextPage: boolean;
  };

  type LateChanges = {
    upToSeconds: number;
    number: number;
  };

  type Notification = {
    id: string;
    channel: string;
    reason: string;
    subject: string;
    recipients: string[];
    refused: string[];
    state: NotificationState;
    attempts: number;
    lastAttempts: NotificationAttempt[];
    createdAt: string;
    lastAttemptAt: string | null;
    nextAttemptAt: string | null;
    failure: NotificationFailure | null;
    providerMessageId: string | null;
    alertIds: string[];
    cursor: string;
  };

  type NotificationAttempt = {
    at: string;
    sent: boolean;
    code: string | null;
    providerCode: string | null;
    message: string | null;
  };

  type NotificationFailure = {
    kind: string;
    code: string;
    providerCode: string | null;
    message: string;
    advice: string;
    retryAfter: number | null;
  };

  type NotificationPayload = {
    notification: Notification | null;
    userErrors: UserError[];
  };

  type OpenJiraGatePayload = {
    closings: JiraClosing[];
    userErrors: UserError[];
  };

  type Person = {
    id: string;
    displayName: string;
    active: boolean;
    avatarUrl: string | null;
  };

  type Project = {
    uid: string;
    key: string;
    jiraKey: string;
    name: string;
    site: string;
    registeredAt: string | null;
    quarantined: number;
    syncJob: SyncJob | null;
    syncStates: SyncState[];
    census: {
      status: CompletenessStatus;
      everySeconds: number;
      takenAt: string | null;
      provedAt: string | null;
      heldBack: number;
      brake: string | null;
      requestedAt: string | null;
      error: CensusError | null;
    };
    completeness: Completeness[];
  };

  type ProjectChange = {
    id: string;
    kind: ProjectChangeKind;
    actor: string;
    reason: string | null;
    summary: string;
    at: string;
  };

  type QuarantinedRecord = {
    id: string;
    name: string;
    field: string | null;
    why: string;
    askedAgain: boolean;
    since: string;
    cursor: string;
  };

  type RevokeApiTokenPayload = {
    token: ApiToken | null;
    userErrors: UserError[];
  };

  type SchemaDrift = {
    id: string;
    change: string;
    fieldId: string;
    fieldName: string | null;
    before: string | null;
    after: string | null;
    at: string;
  };

  type SearchLateness = {
    number: number;
    latestSeconds: number | null;
    overlapSeconds: number;
    buckets: LateChanges[];
  };

  type Silence = {
    code: string | null;
    until: string;
    by: string;
    reason: string | null;
  };

  type SilencePayload = {
    userErrors: UserError[];
  };

  type Stretch = {
    seconds: number;
    since: string;
  };

  type SyncJob = {
    id: string;
    status: SyncJobStatus;
    running: boolean;
    currentRunId: string | null;
    cronSchedule: string;
    timezone: string;
    lastRunAt: string | null;
    lastEndedAt: string | null;
    lastResult: string | null;
    nextRunAt: string | null;
    pagesDone: number;
    pagesTotal: number | null;
    pausedAt: string | null;
    pausedBy: string | null;
    pauseReason: string | null;
    waitingFor: string | null;
    waitingCode: string | null;
    waitingUntil: string | null;
    backoff: Backoff | null;
    stretch: Stretch | null;
  };

  type SyncJobPayload = {
    syncJob: SyncJob | null;
    requestId: string | null;
    userErrors: UserError[];
  };

  type SyncLog = {
    id: string;
    level: SyncLogLevel;
    warning: boolean;
    message: string;
    details: unknown | null;
    entity: string | null;
    runId: string | null;
    createdAt: string;
  };

  type SyncRun = {
    id: string;
    mode: string | null;
    reason: string;
    result: SyncRunResult;
    startedAt: string | null;
    endedAt: string | null;
    seconds: number | null;
    pagesDone: number;
    pagesTotal: number | null;
    issues: number;
    comments: number;
    worklogs: number;
    sprints: number;
    users: number;
    appended: number;
    requests: number;
    warnings: string[];
    quarantined: number;
    quarantine: string[];
    late: number;
    latestSeconds: number | null;
    overlapSeconds: number | null;
    error: {
      code: string;
      message: string;
      advice: string;
      docs: string | null;
    } | null;
    details: unknown | null;
    note: string | null;
    attempts: number | null;
  };

  type SyncState = {
    entity: string;
    status: string;
    lastSyncTime: string;
    watermark: string | null;
    rows: number;
    error: {
      code: string;
      message: string;
      advice: string;
      docs: string | null;
      since: string | null;
      attempts: number;
    } | null;
  };

  type UserError = {
    code: string;
    message: string;
    field: string | null;
  };

  type Viewer = {
    name: string;
    role: Role;
    projects: string[] | null;
    expiresAt: string | null;
  };

  type Webhooks = {
    taken: boolean;
    site: string | null;
    lastAt: string | null;
    lastEvent: string | null;
    lastSigned: boolean | null;
    waiting: number;
    waitingSince: string | null;
    refused: number;
    lastRefusal: string | null;
    lastRefusedAt: string | null;
    silentSince: string | null;
  };

  interface Operations {
    Absences: {
      variables: { id: string; limit: number; after?: string | null };
      data: {
        page: Absence[];
      };
    };
    Acknowledge: {
      variables: { id: string; reason?: string | null; key?: string | null };
      data: {
        result: AlertPayload;
      };
    };
    AlertPage: {
      variables: { id: string };
      data: {
        alert: Alert & {
          notifications: Notification[];
        } | null;
      };
    };
    Alerts: {
      variables: { status?: AlertStatus[] | null; projectId?: string | null; code?: string | null; limit: number; after?: string | null };
      data: {
        page: Alert[];
      };
    };
    Closings: {
      variables: {};
      data: {
        jiraClosings: JiraClosing[];
      };
    };
    Completeness: {
      variables: { id: string };
      data: {
        completeness: Compared[];
        census: {
          gone: GoneNumber[];
          returned: number;
          fetched: number;
          requests: number;
          seconds: number | null;
          acceptedBy: string | null;
        };
      };
    };
    ConsoleEvents: {
      variables: {};
      data: {
        consoleEvents: ConsoleEvent;
      };
    };
    CreateToken: {
      variables: { name: string; role: Role; projects?: string[] | null; expiresAt?: string | null };
      data: {
        result: CreateApiTokenPayload;
      };
    };
    CronPreview: {
      variables: { cron: string; timezone: string };
      data: {
        cronPreview: CronPreview;
      };
    };
    JiraProjects: {
      variables: { search: string; after?: string | null };
      data: {
        jiraProjectOptions: JiraProjectOptions;
      };
    };
    JiraUsers: {
      variables: { id: string; search: string; after?: string | null };
      data: {
        jiraProjectUserOptions: JiraUserOptions;
      };
    };
    KnownUsers: {
      variables: { id: string };
      data: {
        users: Person[];
      };
    };
    Lateness: {
      variables: {};
      data: {
        searchLateness: SearchLateness | null;
      };
    };
    LogAdded: {
      variables: { id: string; after?: string | null };
      data: {
        syncLogAdded: {
          id: string;
        };
      };
    };
    Logs: {
      variables: { id: string; limit: number; level?: SyncLogLevel | null; warning?: boolean | null; runId?: string | null; text?: string | null; before?: string | null; after?: string | null };
      data: {
        syncLogs: SyncLog[];
      };
    };
    Notifications: {
      variables: { state?: NotificationState | null; projectId?: string | null; limit: number; after?: string | null };
      data: {
        page: Notification[];
      };
    };
    OpenGate: {
      variables: { endpoint?: string | null };
      data: {
        result: OpenJiraGatePayload;
      };
    };
    Pause: {
      variables: { id: string; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    ProjectPage: {
      variables: { id: string };
      data: {
        project: {
          uid: string;
          syncRuns: SyncRun[];
          changes: ProjectChange[];
          trackedUsers: Person[];
          silences: Silence[];
        } | null;
        schemaDrifts: SchemaDrift[];
      };
    };
    Projects: {
      variables: {};
      data: {
        projects: Project[];
        alerts: Alert[];
      };
    };
    Prove: {
      variables: { id: string; accept?: boolean | null; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Quarantine: {
      variables: { id: string; limit: number; after?: string | null };
      data: {
        page: QuarantinedRecord[];
      };
    };
    RawRecord: {
      variables: { id: string };
      data: {
        quarantinedRecord: {
          raw: string | null;
        } | null;
      };
    };
    Redrive: {
      variables: { id: string; key?: string | null };
      data: {
        result: NotificationPayload;
      };
    };
    Register: {
      variables: { jiraKey: string; cron?: string | null; timezone?: string | null; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Reschedule: {
      variables: { id: string; cron: string; timezone?: string | null; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Resolve: {
      variables: { id: string; reason?: string | null; key?: string | null };
      data: {
        result: AlertPayload;
      };
    };
    Resume: {
      variables: { id: string; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    RevokeToken: {
      variables: { id: string };
      data: {
        result: RevokeApiTokenPayload;
      };
    };
    SendTest: {
      variables: { channel: NotificationChannel; to?: string[] | null; key?: string | null };
      data: {
        result: NotificationPayload;
      };
    };
    SetTrackedUsers: {
      variables: { id: string; accountIds: string[]; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Silence: {
      variables: { id: string; code?: string | null; minutes: number; reason?: string | null; key?: string | null };
      data: {
        result: SilencePayload;
      };
    };
    Start: {
      variables: { id: string; full?: boolean | null; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Tokens: {
      variables: {};
      data: {
        apiTokens: ApiToken[];
      };
    };
    Trigger: {
      variables: { id: string; full?: boolean | null; accountIds?: string[] | null; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    Unregister: {
      variables: { id: string; reason?: string | null; key?: string | null };
      data: {
        result: SyncJobPayload;
      };
    };
    UpcomingRuns: {
      variables: { id: string };
      data: {
        project: {
          uid: string;
          syncJob: {
            id: string;
            upcomingRuns: string[];
          } | null;
        } | null;
      };
    };
    Viewer: {
      variables: {};
      data: {
        viewer: Viewer;
      };
    };
    Webhooks: {
      variables: {};
      data: {
        webhooks: Webhooks;
      };
    };
  }
}
