{{/*
The settings below a key, as environment variables: {scrape: {eventsMax: 5}} is ONESHOT_SCRAPE_EVENTS_MAX=5. Takes a dict:
key, value. Numbers go through JSON, which writes 1000000 where a template writes 1e+06. Webhooks, and sinks, are one setting each, a JSON object.
*/}}
{{- define "oneShotMetricsServer.settings" -}}
{{- $key := .key }}
{{- if and (kindIs "map" .value) (not (has $key (list ".webhooks" ".sinks"))) }}
{{- range $name, $value := .value }}
{{- include "oneShotMetricsServer.settings" (dict "key" (printf "%s.%s" $key $name) "value" $value) }}
{{- end }}
{{- else }}
- name: ONESHOT{{ $key | replace "." "_" | snakecase | upper }}
{{- if kindIs "slice" .value }}
  value: {{ join "," .value | quote }}
{{- else }}
  value: {{ kindIs "string" .value | ternary .value (toJson .value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What `config` says, and the hosts that others reach the server by, which it must answer to. */}}
{{- define "oneShotMetricsServer.config" -}}
{{- $config := deepCopy .Values.config }}
{{- $hosts := concat (.Values.ingress.enabled | ternary .Values.ingress.hosts list) (.Values.httpRoute.enabled | ternary .Values.httpRoute.hostnames list) }}
{{- if $hosts }}
{{- $server := $config.server | default dict }}
{{- $own := $server.allowedHosts | default list }}
{{- $own = kindIs "slice" $own | ternary $own (list $own) }}
{{- $_ := set $config "server" (set $server "allowedHosts" (concat $own $hosts | uniq)) }}
{{- end }}
{{- toJson $config }}
{{- end }}

{{- define "oneShotMetricsServer.env" -}}
- name: ONESHOT_SERVER_PORT
  value: {{ .Values.server.port | quote }}
- name: ONESHOT_STORE_PATH
  value: /data
{{- with .Values.database }}
{{- if .existingSecret }}
- name: ONESHOT_STORE_URL_FILE
  value: /etc/oneshot/database/{{ .key }}
{{- end }}
{{- end }}
- name: LOG_LEVEL
  value: {{ .Values.server.logLevel }}
{{- if kindIs "bool" .Values.server.useExplicitTimestamps }}
- name: USE_EXPLICIT_TIMESTAMPS
  value: {{ .Values.server.useExplicitTimestamps | quote }}
{{- end }}
{{- with .Values.webConfig }}
{{- if .existingSecret }}
- name: ONESHOT_WEB_CONFIG_FILE
  value: /etc/oneshot/web/{{ .key }}
{{- end }}
{{- end }}
{{- with .Values.auth }}
{{- if .existingSecret }}
- name: ONESHOT_AUTH_TOKENS_FILE
  value: /etc/oneshot/tokens/{{ .key }}
{{- end }}
{{- end }}
{{- with .Values.identity }}
{{- if .kubernetes }}
- name: ONESHOT_SCRAPERS_IDENTITY
  value: kubernetes
{{- with .namespace }}
- name: ONESHOT_KUBERNETES_NAMESPACE
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- include "oneShotMetricsServer.settings" (dict "key" "" "value" (include "oneShotMetricsServer.config" . | fromJson)) }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}
