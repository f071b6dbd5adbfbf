# 設定、通知、レポート、検索、ホーム、部品の一覧。

# 設定。

offline-title = 接続できません
settings-title = アカウント
settings-account = アカウント情報
settings-about = これらの変更は管理者にご依頼ください。
settings-profile = 名前・表示言語・タイムゾーン
settings-about-profile = ほかの人に表示される名前と、画面の言葉・日時の表示に使われます。
settings-password = パスワードの変更
settings-about-password = 変更すると、ほかの端末はログアウトされます。
settings-preferences = 配色・通知
settings-notifications = 受け取る通知
settings-about-notifications = チェックを外した種類の通知は、今後届きません。すでに届いた通知は残ります。
sessions-title = ログイン中の端末
sessions-about = 心当たりのないものは終了し、パスワードを変更してください。
sessions-agent = プログラム
sessions-address = アドレス
sessions-opened = ログイン日時
sessions-used = 最終利用
sessions-current = この端末
sessions-all = すべての端末を表示
sessions-end = 終了
sessions-unknown = 不明
session-kind-api = API
session-kind-console = ブラウザー

# 通知。

notifications-unread = 未読
notifications-read = 既読にする
notifications-read-all = すべて既読にする
notifications-archive = アーカイブ
notifications-archived = アーカイブ済み
empty-notifications = 通知はまだありません。新しい顧客や承認の結果がここに届きます。

# レポート。

reports-from = 開始日
reports-to = 終了日
reports-show = 表示
reports-spans = 期間
reports-span = { $n } 日間
reports-as-of = { $text } 時点の値です。
reports-unavailable = 現在このサービスの値を取得できません。しばらくしてから開き直してください。
reports-nothing = この期間の記録はありません。
reports-daily = 日ごとの推移
reports-line-total = 合計 { $text }
reports-line-greatest = 1 日の最大 { $text }
reports-table = 数値を表で見る
reports-day = 日付
reports-zone = 日付は { $text } の 1 日ごとに区切っています。
reports-files = データの書き出し
reports-files-about = 閲覧できるすべての記録を CSV ファイルで保存します。
source-cached = 直近の値
source-unavailable = 取得できません
summary-total = 合計
summary-new = 新規
summary-deleted = 削除
summary-open = 未完了
summary-done = 完了
summary-overdue = 期限切れ
summary-approved-amount = 承認済み金額
metric-logins = ログイン
metric-customers-created = 顧客の作成
metric-customers-deleted = 顧客の削除
metric-meetings-created = 商談の記録
metric-tasks-completed = タスクの完了
metric-approvals-requested = 承認の申請
metric-approvals-approved = 申請の承認
metric-approvals-rejected = 申請の却下
metric-deals-created = 案件の作成
metric-deals-won = 案件の受注
metric-deals-lost = 案件の失注

# 全体の検索とショートカット。

type-customer = 顧客
type-meeting = 商談
type-task = タスク
type-approval = 承認申請
type-deal = 案件
palette-open = 検索
palette-label = 検索と移動
palette-placeholder = 顧客・案件・商談・タスク・ページ・操作を検索
palette-failed = 検索できませんでした。もう一度お試しください。
palette-recent = 最近開いたもの
palette-records = 記録
palette-actions = 操作
palette-pages = ページ
search-title = 検索
search-label = 顧客・案件・商談・タスク・承認申請から検索
search-none = 該当するものはありません。言葉を変えるか減らしてお試しください。
search-missing = { $text }は一時的に検索できません。ほかは検索しました。
search-places = ページと操作
shortcuts-title = キーボードショートカット
shortcuts-about = 1 文字のキーは入力中には働きません。このブラウザーで使わないようにもできます。
shortcuts-switch = 1 文字のショートカットを使う
shortcut-palette = すべてを検索
shortcut-search = ページの検索欄へ移動 (なければすべてを検索)
shortcut-create = ページの新規作成フォームを開く
shortcut-help = ショートカットの一覧

# ホーム。

nav-home = ホーム
home-today = 今日までのタスク
home-today-none = 今日が期限のタスクはありません。
home-today-all = 自分の未完了タスクをすべて見る
home-awaiting = 自分の承認を待つ申請
home-awaiting-none = 承認を待つ申請はありません。
home-awaiting-all = 承認待ちの申請をすべて見る
home-news = 自分の記録の新しい変更
home-news-none = 前回確認してからの変更はありません。
home-news-more = これより前の変更はここには表示していません。各顧客のページですべての履歴を確認できます。
home-news-seen = 確認済みにする
home-news-customers = 自分の顧客を見る
home-unavailable = 一時的に表示できません。ほかの部分は最新です。
done-seen = 確認済みにしました。

# デモだけにある、部品の一覧。

empty-tasks-open = 未完了のタスクを見る
empty-notifications-lead = 受け取る通知を選ぶ
design-title = デザインシステム
design-about = コンソールの部品と、その元になる値の一覧です。デモだけで表示されます。
design-tokens = トークン
design-colours = 色
design-spaces = 余白
design-types = 文字の大きさ
design-radii = 角の丸み
design-shadows = 影
design-motions = 動き
design-icons = アイコン
design-avatars = アバター
design-statuses = 状態
design-buttons = ボタン
design-fields = 入力欄
design-notices = お知らせ
design-empty = 空の一覧
design-charts = グラフ
design-cards = 記録の項目
design-example = 例
design-default = 標準
design-main = 主な操作
design-plain = 控えめ
design-danger = 削除などの操作
design-small = 小さい
design-busy = 送信中
design-disabled = 使用不可
