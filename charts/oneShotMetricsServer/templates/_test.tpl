{{/*
The spec of a pod that runs one of the image's own tests. Takes a dict: root, command (a list). The address, and a token or a
user, come as PROBE_*; see image/probe.ts.
*/}}
{{- define "oneShotMetricsServer.testPod" -}}
{{- include "oneShotMetricsServer.podBasics" .root }}
automountServiceAccountToken: false
restartPolicy: Never
containers:
  - name: test
    image: {{ .image | default (include "oneShotMetricsServer.image" .root) }}
    imagePullPolicy: {{ .root.Values.server.imagePullPolicy }}
    securityContext:
      {{- toYaml .root.Values.securityContext | nindent 6 }}
    command:
      {{- toYaml .command | nindent 6 }}
    env:
      {{- include "oneShotMetricsServer.testEnv" .root | nindent 6 }}
    {{- with .root.Values.testEvent.resources }}
    resources:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- if .root.Values.webConfig.caKey }}
    volumeMounts:
      - name: ca
        mountPath: /etc/oneshot/ca
        readOnly: true
    {{- end }}
{{- with .root.Values.webConfig }}
{{- if .caKey }}
volumes:
  - name: ca
    secret:
      secretName: {{ .existingSecret }}
      items:
        - key: {{ .caKey }}
          path: ca.crt
{{- end }}
{{- end }}
{{- end }}

{{- define "oneShotMetricsServer.testEnv" -}}
- name: PROBE_URL
  value: {{ include "oneShotMetricsServer.url" . }}
{{- if .Values.webConfig.caKey }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/oneshot/ca/ca.crt
{{- end }}
{{- with .Values.auth.test }}
{{- if .existingSecret }}
{{- range $variable, $key := empty .tokenKey | ternary (dict "USERNAME" .usernameKey "PASSWORD" .passwordKey) (dict "TOKEN" .tokenKey) }}
- name: PROBE_{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.auth.test.existingSecret }}
      key: {{ $key }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Empty: the server's own. */}}
{{- define "oneShotMetricsServer.testEventImage" -}}
{{- with .Values.testEvent }}
{{- if .image }}
{{- list (include "oneShotMetricsServer.repository" (dict "root" $ "repository" .image)) .tag | compact | join ":" }}
{{- end }}
{{- end }}
{{- end }}

{{/* The image's own test, or curl where an image with it is named. Kubernetes itself fills in the variables. */}}
{{- define "oneShotMetricsServer.testEventCommand" -}}
{{- if .Values.testEvent.image }}
{{- $command := list "curl" "--fail" "--silent" "--show-error" "--max-time" "10" "--request" "POST" }}
{{- if .Values.webConfig.caKey }}
{{- $command = concat $command (list "--cacert" "/etc/oneshot/ca/ca.crt") }}
{{- end }}
{{- with .Values.auth.test }}
{{- if and .existingSecret .tokenKey }}
{{- $command = concat $command (list "--header" "Authorization: Bearer $(PROBE_TOKEN)") }}
{{- else if .existingSecret }}
{{- $command = concat $command (list "--user" "$(PROBE_USERNAME):$(PROBE_PASSWORD)") }}
{{- end }}
{{- end }}
{{- append $command (printf "%s/event?type=test&message=cron_test" (include "oneShotMetricsServer.url" .)) | toJson }}
{{- else }}
{{- list "node" "/app/image/probe.ts" "post" "cron_test" | toJson }}
{{- end }}
{{- end }}
