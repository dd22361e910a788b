{{/* Not empty where the log is in PostgreSQL. */}}
{{- define "oneShotMetricsServer.inDatabase" -}}
{{- if eq (dig "store" "kind" "" .Values.config) "postgres" }}yes{{ end }}
{{- end }}

{{/* Not empty where the log is on a volume. */}}
{{- define "oneShotMetricsServer.hasVolume" -}}
{{- if and .Values.persistence.enabled (not (include "oneShotMetricsServer.inDatabase" .)) }}yes{{ end }}
{{- end }}

{{/* The claim that the pod names: the user's, or the Deployment's own. Empty: a StatefulSet makes it, or there is none. */}}
{{- define "oneShotMetricsServer.claimName" -}}
{{- if include "oneShotMetricsServer.hasVolume" . }}
{{- .Values.persistence.existingClaim | default (eq .Values.kind "Deployment" | ternary (printf "%s-data" (include "oneShotMetricsServer.fullname" .)) "") }}
{{- end }}
{{- end }}

{{/* Not empty where the chart itself asks for a volume. */}}
{{- define "oneShotMetricsServer.makesClaim" -}}
{{- if and (include "oneShotMetricsServer.hasVolume" .) (not .Values.persistence.existingClaim) }}yes{{ end }}
{{- end }}

{{- define "oneShotMetricsServer.claimSpec" -}}
accessModes:
  {{- toYaml .Values.persistence.accessModes | nindent 2 }}
{{- with .Values.persistence.storageClass }}
storageClassName: {{ eq . "-" | ternary "" . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.persistence.size }}
{{- end }}

{{/* SQLite may write temporary files, and the root can't be written. */}}
{{- define "oneShotMetricsServer.mounts" -}}
- name: data
  mountPath: /data
- name: tmp
  mountPath: /tmp
{{- if .Values.webConfig.existingSecret }}
- name: web
  mountPath: /etc/oneshot/web
  readOnly: true
{{- end }}
{{- if .Values.auth.existingSecret }}
- name: tokens
  mountPath: /etc/oneshot/tokens
  readOnly: true
{{- end }}
{{- if .Values.database.existingSecret }}
- name: database
  mountPath: /etc/oneshot/database
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "oneShotMetricsServer.volumes" -}}
- name: tmp
  emptyDir: {}
{{- if not (include "oneShotMetricsServer.hasVolume" .) }}
- name: data
  emptyDir: {}
{{- else if include "oneShotMetricsServer.claimName" . }}
- name: data
  persistentVolumeClaim:
    claimName: {{ include "oneShotMetricsServer.claimName" . }}
{{- end }}
{{- with .Values.webConfig.existingSecret }}
- name: web
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.auth.existingSecret }}
- name: tokens
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.database.existingSecret }}
- name: database
  secret:
    secretName: {{ . }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
